"""The encoder's graph built in OpenVINO from its weights.

OpenVINO's own conversion traces the network with torch, which takes three seconds of every start;
built layer by layer it takes a tenth of one. Batch normalisation, constant once trained, is folded
into the convolution before it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from hdm.backbone.lite0 import MEAN, SPREAD, TAKEN, Block, Lite0, SameConvolution
from hdm.backbone.openvino_runtime import quiet_openvino, ready

Run = Callable[[np.ndarray], tuple[np.ndarray, ...]]


def compiled(network: Lite0, threads: int) -> Run | None:
    """The network for any number and size of images, in single precision: pixels (N, 3, H, W) ->
    the stages as `Lite0` gives them. None where OpenVINO is missing."""
    try:
        openvino = quiet_openvino()
        from openvino import opset13 as ops
    except ImportError:
        return None
    pixels = ops.parameter([-1, 3, -1, -1], np.float32)
    x = ops.divide(ops.subtract(pixels, np.float32(MEAN)), np.float32(SPREAD))
    x = _clamped(ops, _convolved(ops, x, network._conv_stem, network._bn0))
    taken, ends = [], [network.ends[stage] for stage in TAKEN]
    for number, block in enumerate(network._blocks):
        assert isinstance(block, Block)
        x = _block(ops, x, block)
        if number in ends:
            taken.append(x)
    model = openvino.Model([ops.result(stage) for stage in taken], [pixels], "lite0")
    judge = ready(model, threads)

    def run(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        found = judge(np.ascontiguousarray(pixels))
        return tuple(found[number] for number in range(len(ends)))

    return run


def _block(ops: Any, x: Any, block: Block) -> Any:
    out = x
    if block.expands:
        out = _clamped(ops, _convolved(ops, out, block._expand_conv, block._bn0))
    out = _clamped(ops, _convolved(ops, out, block._depthwise_conv, block._bn1))
    out = _convolved(ops, out, block._project_conv, block._bn2)
    return ops.add(x, out) if block.added else out


def _clamped(ops: Any, x: Any) -> Any:
    """ReLU6."""
    return ops.clamp(x, 0.0, 6.0)


def _convolved(ops: Any, x: Any, layer: nn.Conv2d, norm: nn.BatchNorm2d) -> Any:
    """Convolution and the normalisation behind it."""
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        kernel = (layer.weight.double() * gain[:, None, None, None]).float().cpu().numpy()
        offset = (norm.bias.double() - norm.running_mean.double() * gain).float().cpu().numpy()
    margin = layer.margin if isinstance(layer, SameConvolution) else (0, 0, 0, 0)
    begin, end = list(margin[::2]), list(margin[1::2])
    strides, ones = list(layer.stride), [1, 1]
    if layer.groups > 1:
        out = ops.group_convolution(x, kernel[:, None], strides, begin, end, ones)
    else:
        out = ops.convolution(x, kernel, strides, begin, end, ones)
    return ops.add(out, offset[None, :, None, None])
