"""The file agrees with the detector, or is not written."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tiny
from small_detector import native, plates, small_detector

from hdm.errors import HDMError
from hdm.export import exporting as module
from hdm.export.agreement import compare
from hdm.export.exporting import export
from hdm.export.runtime_detector import RuntimeDetector
from hdm.line import Line

pytest.importorskip("onnxruntime")
FACTS = {"line": "plate", "model": "hdm-plate", "version": "3"}


@pytest.fixture(scope="module")
def detector():
    return small_detector()


@pytest.fixture(scope="module")
def exported(detector, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("exported") / "plate.onnx"
    images = [native(60, 40, seed=n) for n in range(3)]
    assert export(detector, FACTS, images, target, depth=16).score < 1e-4
    return target


def test_one_file_takes_any_number_size_depth_and_colour(detector, exported) -> None:
    runtime = RuntimeDetector(exported, threads=1)
    images = [native(48, 32), native(60, 40, 3), native(48, 32, seed=1), native(1, 1),
              native(90, 91, dtype=np.uint16), native(48, 32, dtype=np.uint16)]
    found = compare(detector, runtime, images)
    # The flat image's energies are rounding errors, by which scores differ in the fifth digit.
    assert found.agrees and found.score < 3e-4 and found.anomaly_map < 1e-4
    assert [p.anomaly_map.shape for p in runtime.predict(images)] == [i.shape[:2] for i in images]
    assert runtime.predict([]) == []


def test_the_file_says_what_it_is(detector, exported) -> None:
    import onnx

    facts = RuntimeDetector(exported, threads=1).facts
    assert facts["version"] == "3" and facts["threshold"] == detector.threshold
    assert facts["calibration_images"] == 19
    image, = onnx.load(str(exported)).graph.input
    assert [axis.dim_param for axis in image.type.tensor_type.shape.dim] == \
        ["images", "height", "width", "channels"]
    assert [path.name for path in exported.parent.iterdir()] == ["plate.onnx"]


def test_a_detector_of_colours_is_written_and_takes_grey(tmp_path) -> None:
    detector, target = small_detector(channels=3), tmp_path / "colour.onnx"
    images = [native(60, 40, 3, seed=0), native(60, 40, seed=1)]
    assert export(detector, FACTS, images, target, depth=8).agrees
    assert target.is_file()


def test_what_disagrees_is_not_written(detector, tmp_path, monkeypatch) -> None:
    other = small_detector(seed=1)
    monkeypatch.setattr(module, "write_onnx", lambda *_: None)
    monkeypatch.setattr(module, "runtime", lambda *_: other)
    target = tmp_path / "plate.onnx"
    target.write_text("earlier")
    with pytest.raises(HDMError, match="does not say what the detector says on 10 images"):
        export(detector, FACTS, [native(48, 32)], target, depth=8)
    assert target.read_text() == "earlier"


@pytest.mark.parametrize(("images", "part"), [
    ([], "found none"), ([native(8, 8, dtype=np.uint16)], "--depth 16")])
def test_what_cannot_be_compared_is_refused(detector, tmp_path, images, part) -> None:
    with pytest.raises(HDMError, match=part):
        export(detector, FACTS, images, tmp_path / "plate.onnx", depth=8)
    assert not list(tmp_path.iterdir())


def test_a_detector_of_tiles_takes_images_of_its_own_size(tmp_path) -> None:
    detector, target = small_detector(fit="tile"), tmp_path / "tiles.onnx"
    images = [native(70, 50, seed=n) for n in range(2)]
    with pytest.raises(HDMError, match="images of one size, found 2"):
        export(detector, FACTS, [*images, native(50, 70)], target, depth=8)
    assert export(detector, FACTS, images, target, depth=8).agrees
    runtime = RuntimeDetector(target, threads=1)
    assert compare(detector, runtime, [native(70, 50, seed=n) for n in range(5)]).agrees
    for shape in ((50, 70), (1, 1), (10, 3_000)):
        own, found, last = runtime.predict([native(70, 50), native(*shape), native(70, 50)])
        usual = detector.predict([native(70, 50)])[0].decision
        assert own.decision == last.decision == usual
        assert found.decision == "undecidable" and found.anomaly_map.shape == shape
        assert f"has {shape[1]} x {shape[0]} px" in found.reasons[0].sentence


@pytest.mark.parametrize("over", [
    {}, *(pytest.param(over, marks=pytest.mark.slow) for over in (
        {"fit": "tile"}, {"channels": 3}, {"backbone": False}))])
def test_the_file_finds_the_same_pictures_undecidable(over, tmp_path) -> None:
    detector, target = small_detector(decidable=True, **over), tmp_path / "doubts.onnx"
    good = plates(6, seed=9, channels=over.get("channels", 1))
    export(detector, FACTS, good, target, depth=8)
    hostile = [good[0] // 8, np.zeros_like(good[0]), np.full_like(good[0], 255),
               np.ascontiguousarray(good[1].swapaxes(0, 1)), good[2] // 2 + 100]
    pictures = good + hostile
    if over.get("fit") != "tile":
        pictures += [good[0][:1, :1], good[0][:20], native(10, 900)]
    runtime = RuntimeDetector(target, threads=1)
    for one, two in zip(detector.predict(pictures), runtime.predict(pictures), strict=True):
        assert one.decision == two.decision
        assert [doubt.code for doubt in one.reasons] == [doubt.code for doubt in two.reasons]
    assert sum(p.decision == "undecidable" for p in runtime.predict(hostile)) >= 3
    found = runtime.run(np.stack(hostile).reshape(len(hostile), 96, 96, -1))
    flags, figures = found["undecidable"], found["figures"]
    assert flags.tolist() == [bool(p.reasons) for p in detector.predict(hostile)]
    assert figures.shape == (5, 7)


def test_it_serves_as_the_detector_does(detector, exported, tmp_path, monkeypatch) -> None:
    from hdm.errors import RegistryError
    from hdm.serving import live_model

    project = tiny.write_project(tmp_path, {"compute": {"threads": 1}})
    line, codes = Line.load("plate", project), [0, 6]

    def run(command, **_):
        shutil.copyfile(exported, command[command.index("--output") + 1])
        return subprocess.CompletedProcess(command, codes.pop(0), "", "chatter\nerror: no images.")

    monkeypatch.setattr(live_model.subprocess, "run", run)
    served = live_model.load(line, "3", "onnx")
    assert (served.version, served.facts["backend"]) == ("3", "onnx")
    assert served.facts["threshold"] == detector.threshold and "pixel" not in served.facts
    image = native(60, 40)
    assert served.judge.predict([image])[0].score == \
        pytest.approx(detector.predict([image])[0].score, rel=1e-4)
    with pytest.raises(RegistryError, match=r"^no images\.$"):
        live_model.load(line, "3", "onnx")


def test_other_files_are_no_detectors(tmp_path) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(b"not a graph")
    with pytest.raises(HDMError, match="is not a detector that `hdm export` wrote"):
        RuntimeDetector(file, threads=1)
