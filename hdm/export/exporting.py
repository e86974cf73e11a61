"""A detector as a file or a folder of another runtime, written only if it says the same."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hdm.detector.detector import HDM
from hdm.errors import ConfigError, HDMError
from hdm.export.agreement import EXACT, HALF, Agreement, Tolerance, compare, refusal
from hdm.export.distorted import distorted
from hdm.export.folder_export import check_free, complete, lay_out, place
from hdm.export.folder_model import FolderModel
from hdm.export.golden import chosen
from hdm.export.model_facts import facts_of
from hdm.export.onnx_file import write_onnx
from hdm.export.runtime_detector import RuntimeDetector
from hdm.export.runtimes import need
from hdm.files import atomic_file, read_json

ONNX, OPENVINO, FOLDER = ".onnx", ".xml", ""
"""What can be written, by its suffix."""


def export(detector: HDM, facts: dict[str, Any], images: Sequence[np.ndarray], target: Path,
           depth: int, *, kind: str = ONNX, half: bool = False) -> Agreement:
    """Write `target`: an .onnx, an OpenVINO .xml with its .bin, or a folder that judges by itself.
    All take native pixels and give score, decision and anomaly map.

    Args:
        detector: on the CPU in fp32. One that judges tiles takes images of one size alone, that of
            `images`.
        facts: kept in the file, plain values; line and version among them.
        images: real ones, on which, and on distorted ones made of them, `target` must agree with
            the detector.
        depth: 8 or 16 bit, of the pixels that the graph takes.
        kind: ONNX, OPENVINO or FOLDER.
        half: keep the weights in 16 bits; of OpenVINO alone.

    Raises HDMError if it does not agree, or the detector cannot be exported; then `target` is as
    it was.
    """
    need("onnx", "onnxscript", *(["openvino"] if kind == OPENVINO else ["onnxruntime"]))
    if half and kind != OPENVINO:
        raise ConfigError("expected --fp16 with an --output that ends in .xml, as only OpenVINO "
                          "keeps weights in 16 bits here.")
    if kind == FOLDER:
        check_free(target)
    if not images:
        raise HDMError("expected images of the line to compare the exported model on, found none.")
    if depth == 8 and any(image.dtype == np.uint16 for image in images):
        raise HDMError("the line's images have 16 bit a channel; export with --depth 16.")
    size = _one_size(images) if detector.form.fit == "tile" else None
    content = {**facts, **facts_of(detector), "depth": depth, "size": size and list(size)}
    odd = distorted(images, sizes=size is None)
    asked = [*images, *odd]
    with tempfile.TemporaryDirectory(prefix="hdm-export-") as scratch:
        graph = Path(scratch) / "model.onnx"
        write_onnx(detector, content, graph)
        if kind == ONNX:
            found = _agreed(detector, runtime(graph), asked)
            with atomic_file(target) as temporary:
                temporary.write_bytes(graph.read_bytes())
        elif kind == OPENVINO:
            found = _openvino(detector, graph, asked, target, half)
        else:
            made = Path(scratch) / "folder"
            lay_out(detector, content, graph, made)
            found = _agreed(detector, FolderModel(made), asked)
            told = {"agreement": found.as_dict(), "distorted": len(odd)}
            complete(made, read_json(made / "model.json") | told,
                     chosen(detector, [*odd, *images[:4]]))
            place(made, target)
    return found


def runtime(file: Path) -> RuntimeDetector:
    """A file that was made, as it will be run."""
    return RuntimeDetector(file, threads=torch.get_num_threads())


def _openvino(detector: HDM, graph: Path, images: Sequence[np.ndarray], target: Path, half: bool
              ) -> Agreement:
    from hdm.export.openvino_file import place_pair, write_openvino  # late: OpenVINO itself

    made = graph.with_suffix(OPENVINO)
    write_openvino(graph, made, half=half)
    found = _agreed(detector, runtime(made), images, HALF if half else EXACT)
    place_pair(made, target)
    return found


def _agreed(detector: HDM, other: Any, images: Sequence[np.ndarray],
            allowed: Tolerance = EXACT) -> Agreement:
    """Raises HDMError if they do not."""
    found = compare(detector, other, images, allowed)
    if not found.agrees:
        raise refusal(found)
    return found


def _one_size(images: Sequence[np.ndarray]) -> tuple[int, int]:
    """Height and width of all the images."""
    found = {(image.shape[0], image.shape[1]) for image in images}
    if len(found) > 1:
        raise HDMError(f"expected images of one size, found {len(found)}: the graph of a detector "
                       "that judges tiles takes no other than its own; name a folder of images of "
                       "the camera's size with --images, or serve it with the torch backend.")
    return found.pop()
