"""One look: the live version's calibration against the rows it wrote, as a record and a page."""

import json
from pathlib import Path

import numpy as np
import pytest
from lines import POINT, calibration
from recorded_stages import record_outputs
from tiny import write_project

from hdm.dataset.appearance import Appearance
from hdm.detector.detector import Prediction
from hdm.errors import HDMError
from hdm.line import Line
from hdm.monitoring import drift_check
from hdm.monitoring.drift_check import check_line
from hdm.monitoring.prediction_log import PredictionLog
from hdm.registry.fetch import Fetched

NOW = 1.79e9


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """The line `plate`, whose champion is version 3."""
    line = Line.load("plate", write_project(tmp_path / "plant", line={"description": "Plates <1>"}))
    registered = tmp_path / "registered"
    _detector(registered)

    def fetch(asked: Line, uri: str, into: Path) -> Fetched:
        assert uri == "models:/hdm-plate/3"
        assert into.is_dir()
        return Fetched("3", registered)

    monkeypatch.setattr(drift_check, "live_version", lambda _: "3")
    monkeypatch.setattr(drift_check, "fetch", fetch)
    return line


def _detector(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "detector.json").write_text(json.dumps({"calibration": calibration().as_dict()}))
    (folder / "operating_point.json").write_text(json.dumps(POINT.as_dict()))


def fill(line: Line, count: int, model: str = "3", brightness: float = 0.0, seed: int = 4,
         start: float = NOW) -> None:
    """Log `count` predictions, one a minute; each image is another."""
    times = iter(start + 60 * np.arange(count))
    log = PredictionLog(line.log_folder, line.params.monitor, clock=lambda: float(next(times)))
    generator = np.random.default_rng(seed)
    for number in range(count):
        score, *figures = generator.standard_normal(4)
        image = np.full((1, 8), number % 256, np.uint8)
        image[0, :7] = generator.integers(0, 256, 7)
        seen = Appearance(figures[0] + brightness, figures[1], figures[2])
        log.record(f"{number}.png", model, "rest", image, Prediction(
            score, 0.5, 0.5, "defect" if score > POINT.threshold else "good", POINT.threshold,
            np.zeros((1, 8), np.float32), seen))
    log.close()


def test_steady_line(line: Line) -> None:
    fill(line, 80, model="2", brightness=5.0)  # of another version: not asked
    fill(line, 120)
    found = check_line(line, clock=lambda: NOW + 9e4)
    assert (found["state"], found["model"], found["images"]) == ("steady", "3", 120)
    assert found["sentence"] == "plate, version 3: no change in 120 images."
    assert found["first"] == "2026-09-21T14:13:20Z"
    share = found["shares"]["defects"]
    assert share["low"] < share["share"] < share["high"]
    assert json.loads((line.monitor_folder / "status.json").read_text()) == found
    assert "No change" in (line.monitor_folder / "index.html").read_text()


def test_drift_is_told_in_words_with_its_beginning(line: Line) -> None:
    fill(line, 150)
    fill(line, 100, brightness=-2.0, seed=5, start=NOW + 9_000)
    found = check_line(line, clock=lambda: NOW + 9e4)
    assert found["state"] == "drift"
    assert "images have become darker since 2026-09-21 16:4" in found["sentence"]
    told = {stream["name"]: stream for stream in found["streams"]}["brightness"]
    assert told["alarm"] and told["highest"] >= told["limit"]
    assert 140 <= told["began"]["row"] <= 155 < told["crossed"]["row"] < 180
    page = (line.monitor_folder / "index.html").read_text()
    assert "The line has changed" in page and "images have become darker" in page
    assert "Plates &lt;1&gt;" in page
    assert page.count("<svg") == 7
    assert "http" not in page and "<script" not in page


def test_a_look_is_the_same_whatever_the_clock_did(line: Line) -> None:
    fill(line, 100)
    fill(line, 100, seed=5, brightness=-2.0, start=NOW - 1e6)
    found = check_line(line, clock=lambda: NOW)
    assert found["state"] == "drift"
    assert {stream["name"] for stream in found["streams"] if stream["alarm"]} == {"brightness"}


def test_lines_without_a_model_or_without_predictions_are_idle(
        line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check_line(line)
    assert found["state"] == "idle"
    assert "no predictions of plate, version 3, are logged yet" in found["sentence"]
    monkeypatch.setattr(drift_check, "live_version", lambda _: None)
    assert check_line(line)["sentence"] == \
        "plate has no model in service yet; `hdm run plate` trains one."
    assert "Nothing to watch yet" in (line.monitor_folder / "index.html").read_text()


def test_without_mlflow_the_local_detector_is_watched(line: Line,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    assert check_line(line)["state"] == "idle"
    _detector(line.detector_folder)
    record_outputs(line.project, line.name)
    fill(line, 30, model="trained")
    assert (check_line(line)["model"], check_line(line)["images"]) == ("trained", 30)


def test_only_unreadable_images(line: Line) -> None:
    log = PredictionLog(line.log_folder, line.params.monitor)
    for number in range(40):
        log.record_undecidable(f"{number}", "3", "rest", "empty")
    found = check_line(line)
    assert found["state"] == "drift"
    assert "more images are undecidable than stated" in found["sentence"]
    assert "most often undecidable: unreadable" in found["sentence"]
    assert found["shares"]["defects"]["share"] is None
    assert "none judged yet" in (line.monitor_folder / "index.html").read_text()


def test_one_prediction(line: Line) -> None:
    fill(line, 1)
    assert check_line(line)["state"] == "steady"


def test_a_detector_that_says_nothing_of_normals(line: Line,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    line.detector_folder.mkdir(parents=True)
    (line.detector_folder / "detector.json").write_text('{"calibration": null}')
    record_outputs(line.project, line.name)
    with pytest.raises(HDMError, match="expected a calibrated detector"):
        check_line(line)
    assert not line.monitor_folder.exists()
