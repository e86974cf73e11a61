"""Exported graphs in the runtimes that run them: ONNX Runtime and OpenVINO."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hdm.backbone.openvino_runtime import quiet_openvino, ready
from hdm.errors import HDMError

FACTS = "hdm"
WHITE = {8: 255, 16: 65535}


class Opened(NamedTuple):
    """A graph, ready to run. facts: what the file says of itself. run: pixels (N, H, W, C) ->
    outputs by name."""

    facts: dict[str, Any]
    run: Callable[[np.ndarray], dict[str, np.ndarray]]


def opened(file: Path, threads: int) -> Opened:
    """An .onnx in ONNX Runtime, an .xml, whose weights are the .bin beside it, in OpenVINO.

    Raises HDMError if the file is no exported detector, or its runtime is not installed.
    """
    need("openvino" if file.suffix == ".xml" else "onnxruntime")
    try:
        return (_openvino if file.suffix == ".xml" else _onnx)(file, threads)
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise HDMError(f"{file} is not a detector that `hdm export` wrote ({said[:200]}); export "
                       "it again.") from error


def _onnx(file: Path, threads: int) -> Opened:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait take the cores from those that decode and answer.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(pixels: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(names, session.run(None, {"image": pixels}), strict=True))

    return Opened(json.loads(session.get_modelmeta().custom_metadata_map[FACTS]), run)


def _openvino(file: Path, threads: int) -> Opened:
    model = quiet_openvino().Core().read_model(str(file))
    facts = json.loads(model.get_rt_info([FACTS]).astype(str))
    judge = ready(model, threads)
    names = [output.any_name for output in model.outputs]

    def run(pixels: np.ndarray) -> dict[str, np.ndarray]:
        found = judge({"image": np.ascontiguousarray(pixels)})
        return {name: np.array(found[number]) for number, name in enumerate(names)}

    return Opened(facts, run)


def need(*libraries: str) -> None:
    """Raise HDMError if one of the optional libraries is missing."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise HDMError(f"exporting needs {', '.join(missing)}, which is not installed; say "
                       "`pip install 'hdm[onnx]'`.")
