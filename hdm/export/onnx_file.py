"""An ONNX file of a detector, written only if it says what the detector says."""

import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hdm.detector.detector import HDM
from hdm.errors import HDMError
from hdm.export.agreement import Agreement, compare, refusal
from hdm.export.model_facts import facts_of
from hdm.export.onnx_graph import OUTPUTS, DetectorGraph
from hdm.export.onnx_session import FACTS, WHITE, RuntimeDetector, need
from hdm.files import atomic_file

OPSET = 20
AXES = ("images", "height", "width", "channels")
EXAMPLE = (2, 96, 80, 3)
"""None of its sizes is 0, 1 or another's: torch would take these for constants."""


def export(detector: HDM, facts: dict[str, Any], images: Sequence[np.ndarray], target: Path,
           depth: int) -> Agreement:
    """Write `target`, an ONNX graph from native pixels to score, decision and anomaly map.

    Args:
        detector: on the CPU in fp32. One that judges tiles takes images of one size alone, that of
            `images`.
        facts: kept in the file, plain values; line and version among them.
        images: real ones, on which the file must agree with the detector.
        depth: 8 or 16 bit, of the pixels that the graph takes.

    Raises HDMError if it does not agree, or the detector cannot be exported; then `target` is as
    it was.
    """
    need("onnx", "onnxscript", "onnxruntime")
    if not images:
        raise HDMError("expected images of the line to compare the exported model on, found none.")
    if depth == 8 and any(image.dtype == np.uint16 for image in images):
        raise HDMError("the line's images have 16 bit a channel; export with --depth 16.")
    size = _one_size(images) if detector.form.fit == "tile" else None
    graph = DetectorGraph(detector, WHITE[depth], size).eval()
    content = {**facts, **facts_of(detector), "depth": depth, "size": size}
    with tempfile.TemporaryDirectory(prefix="hdm-export-") as scratch:
        made = Path(scratch) / "model.onnx"
        _write(_traced(graph, depth, size), content, made)
        runtime = RuntimeDetector(made, threads=torch.get_num_threads())
        found = compare(detector, runtime, images)
        if not found.agrees:
            raise refusal(found)
        with atomic_file(target) as temporary:
            temporary.write_bytes(made.read_bytes())
    return found


def _one_size(images: Sequence[np.ndarray]) -> tuple[int, int]:
    """Height and width of all the images."""
    found = {(image.shape[0], image.shape[1]) for image in images}
    if len(found) > 1:
        raise HDMError(f"expected images of one size, found {len(found)}: the graph of a detector "
                       "that judges tiles takes no other than its own; name a folder of images of "
                       "the camera's size with --images, or serve it with the torch backend.")
    return found.pop()


def _traced(graph: DetectorGraph, depth: int, size: tuple[int, int] | None) -> Any:
    """The graph as torch's exporter writes it, for any number and channels of images, of any size
    unless one is given."""
    kind = {8: torch.uint8, 16: torch.uint16}[depth]
    shape = (EXAMPLE[0], *(size or EXAMPLE[1:3]), EXAMPLE[3])
    example = torch.zeros(shape, dtype=torch.int32).to(kind)
    free = {axis: torch.export.Dim(name, **({"max": 3} if name == "channels" else {}))
            for axis, name in enumerate(AXES) if size is None or axis not in (1, 2)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        # Once beforehand: what is computed only once must not be cached as a tracer's stand-in.
        graph(example)
        program = torch.export.export(graph, (example,), dynamic_shapes=(free,),
                                      strict=False)
        return torch.onnx.export(program, dynamo=True, input_names=["image"], verbose=False,
                                 output_names=list(OUTPUTS), opset_version=OPSET)


def _write(program: Any, facts: dict[str, Any], file: Path) -> None:
    """Save with readable names of the axes and with the facts."""
    import onnx

    program.save(str(file))
    model = onnx.load(str(file))
    axes = model.graph.input[0].type.tensor_type.shape.dim
    names = {axis.dim_param: name for axis, name in zip(axes, AXES, strict=True) if axis.dim_param}
    if len(names) < len(AXES) - 2 * (facts["size"] is not None):
        raise HDMError("the exported graph takes one size of image only; this version of torch "
                       "cannot export the detector.")
    for value in (*model.graph.input, *model.graph.output):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = names[axis.dim_param]
    del model.graph.value_info[:]  # only hints, and they use the old names
    onnx.helper.set_model_props(model, {FACTS: json.dumps(facts, sort_keys=True)})
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
