"""The ONNX graph as OpenVINO's intermediate representation: an .xml and its weights in a .bin."""

import json
from pathlib import Path

import onnx

from hdm.backbone.openvino_runtime import quiet_openvino
from hdm.export.runtimes import FACTS
from hdm.files import atomic_file


def write_openvino(graph: Path, file: Path, *, half: bool) -> None:
    """Convert the .onnx `graph` into `file`, an .xml, and the .bin beside it.

    half: keep the weights in 16 bits, in half of the place; they are computed with in 32.
    """
    openvino = quiet_openvino()
    model = openvino.convert_model(str(graph))
    properties = onnx.load(str(graph), load_external_data=False).metadata_props
    facts = next(one.value for one in properties if one.key == FACTS)
    model.set_rt_info(json.dumps({**json.loads(facts), "half": half}, sort_keys=True), [FACTS])
    openvino.save_model(model, str(file), compress_to_fp16=half)


def place_pair(made: Path, target: Path) -> None:
    """Put an .xml and its .bin where they belong.

    The earlier .xml is gone before the new .bin is there: killed at any moment, this leaves no
    graph beside the weights of another. Raises HDMError as `atomic_file`.
    """
    with atomic_file(target) as graph:
        graph.write_bytes(made.read_bytes())
        with atomic_file(target.with_suffix(".bin")) as weights:
            weights.write_bytes(made.with_suffix(".bin").read_bytes())
            target.unlink(missing_ok=True)
