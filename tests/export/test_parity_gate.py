"""What does not say what the detector says is not written, in no format."""

import shutil

import numpy as np
import onnx
import pytest
from bare_python import FACTS
from small_detector import plates, small_detector

from hdm.errors import ConfigError, HDMError
from hdm.export import exporting
from hdm.export.agreement import HALF, Tolerance, compare
from hdm.export.distorted import distorted
from hdm.export.exporting import FOLDER, ONNX, OPENVINO, export
from hdm.export.openvino_file import write_openvino
from hdm.export.runtime_detector import RuntimeDetector


def spoiled(graph, target) -> None:
    """The same graph with other weights."""
    model = onnx.load(str(graph))
    for weights in model.graph.initializer:
        if weights.data_type == onnx.TensorProto.FLOAT and len(weights.raw_data) > 1000:
            values = onnx.numpy_helper.to_array(weights) * np.float32(1.05)
            weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(model, str(target))


@pytest.fixture
def made(exported_folder, monkeypatch):
    """The detector, whose graph need not be traced again."""
    monkeypatch.setattr(exporting, "write_onnx", lambda _detector, _facts, file: shutil.copyfile(
        exported_folder.folder / "model.onnx", file))
    return exported_folder.detector


@pytest.mark.parametrize("kind", [ONNX, OPENVINO, FOLDER])
def test_a_wrong_graph_is_refused_and_the_earlier_export_stays(
        made, exported_folder, monkeypatch, tmp_path, kind) -> None:
    target = tmp_path / f"plate{kind}"
    export(made, FACTS, plates(3, seed=9), target, 16, kind=kind)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(exporting, "write_onnx", lambda _detector, _facts, file: spoiled(
        exported_folder.folder / "model.onnx", file))
    with pytest.raises(HDMError, match="does not say what the detector says on 12 images"):
        export(made, FACTS, plates(3, seed=9), target, 16, kind=kind)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    with pytest.raises(HDMError, match="does not say"):
        export(made, FACTS, plates(3, seed=9), tmp_path / f"new{kind}", 16, kind=kind)
    assert not list(tmp_path.glob("new*"))


def test_openvino_judges_as_the_detector_does(made, tmp_path) -> None:
    images, target = plates(3, seed=9), tmp_path / "plate.xml"
    found = export(made, FACTS, images, target, 16, kind=OPENVINO)
    assert found.agrees and found.images == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plate.bin", "plate.xml"]
    runtime = RuntimeDetector(target, threads=1)
    assert runtime.facts["version"] == "3" and runtime.facts["half"] is False
    assert compare(made, runtime, [*plates(5, seed=3), *distorted(images, sizes=True)]).agrees


def test_weights_of_16_bits_are_half_as_large_and_held_to_the_detector_too(
        made, exported_folder, tmp_path, monkeypatch) -> None:
    for half in (False, True):
        write_openvino(exported_folder.folder / "model.onnx", tmp_path / f"{half}.xml", half=half)
    sizes = [(tmp_path / f"{half}.bin").stat().st_size for half in (True, False)]
    assert sizes[0] < 0.55 * sizes[1]
    assert RuntimeDetector(tmp_path / "True.xml", threads=1).facts["half"]
    images, target = plates(3, seed=9), tmp_path / "new.xml"
    with monkeypatch.context() as strict, pytest.raises(HDMError, match="allowed 1e-05"):
        strict.setattr(exporting, "HALF", Tolerance(1e-5, 1e-5))
        export(made, FACTS, images, target, 16, kind=OPENVINO, half=True)
    assert not list(tmp_path.glob("new*"))
    found = export(made, FACTS, images, target, 16, kind=OPENVINO, half=True)
    assert found.agrees and found.allowed == HALF and found.score > 1e-5
    assert target.is_file()


def test_where_16_bits_change_what_is_said_nothing_is_written(tmp_path) -> None:
    """What random networks say of small latents is in units so small that 16 bits change it."""
    with pytest.raises(HDMError, match=r"allowed 0\.05"):
        export(small_detector(decidable=True, small=True), FACTS, plates(3, seed=9),
               tmp_path / "new.xml", 16, kind=OPENVINO, half=True)
    assert not list(tmp_path.glob("new*"))


def test_of_an_openvino_file_without_its_weights_a_sentence_is_left(made, tmp_path) -> None:
    export(made, FACTS, plates(1), tmp_path / "x.xml", 16, kind=OPENVINO)
    (tmp_path / "x.bin").unlink()
    with pytest.raises(HDMError, match="is not a detector that `hdm export` wrote"):
        RuntimeDetector(tmp_path / "x.xml", threads=1)


@pytest.mark.parametrize("kind", [ONNX, FOLDER])
def test_only_openvino_keeps_weights_in_16_bits(made, tmp_path, kind) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.xml"):
        export(made, FACTS, plates(1), tmp_path / "x", 16, kind=kind, half=True)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (40, 30, 3), (7, 90)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_distorted_pictures_are_of_the_line_s_kind_and_are_others(shape, dtype) -> None:
    image = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    found = distorted([image], sizes=False)
    assert {(one.dtype, one.shape) for one in found} == {(image.dtype, image.shape)}
    if min(shape[:2]) > 2:
        assert len({one.tobytes() for one in [*found, image]}) == len(found) + 1
        assert distorted([image], sizes=True)[-1].shape != shape or min(shape[:2]) < 16
