"""A detector's graph as an ONNX file that says what it is."""

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from hdm.detector.detector import HDM
from hdm.errors import HDMError
from hdm.export.onnx_graph import OUTPUTS, DetectorGraph
from hdm.export.runtimes import FACTS, WHITE

OPSET = 20
AXES = ("images", "height", "width", "channels")
EXAMPLE = (2, 96, 80, 3)
"""None of its sizes is 0, 1 or another's: torch would take these for constants."""


def write_onnx(detector: HDM, facts: dict[str, Any], file: Path) -> None:
    """Write the graph of a detector in fp32 on the CPU, from native pixels to score, decision and
    anomaly map.

    facts: kept in the file, plain values; of them depth, 8 or 16 bit, and size, height and width
    or None for any, are those of the pixels that the graph takes. Raises HDMError if this version
    of torch cannot export it.
    """
    graph = DetectorGraph(detector, WHITE[facts["depth"]], facts["size"]).eval()
    _write(_traced(graph, facts["depth"], facts["size"]), facts, file)


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
