"""`hdm monitor` and `hdm predict --log`."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recorded_stages import record_outputs

from hdm.dataset.appearance import Appearance
from hdm.detector.detector import Prediction
from hdm.detector.operating_point import OperatingPoint
from hdm.detector.regions import RegionRule
from hdm.monitoring.prediction_log import PredictionLog
from hdm.settings import Monitor


class Detector:
    """Brightness is anomaly."""

    region_rule = RegionRule(0.5)
    operating_point = OperatingPoint(0.5, 0.05, True, "rate", None, None, 19, 0.05, 0.1, 0.05)

    def predict(self, images: list[np.ndarray], batch_size: int = 16) -> list[Prediction]:
        means = [float(image.mean()) / 255 for image in images]
        return [Prediction(mean, 1 - mean, mean, "defect" if mean > 0.5 else "good", 0.5,
                           np.full(image.shape[:2], mean, np.float32), Appearance(mean, 0, 0))
                for image, mean in zip(images, means, strict=True)]


@pytest.fixture
def shots(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two images and a broken file, a detector folder, and a stand-in for what loads it."""
    import hdm

    monkeypatch.setattr(hdm, "HDM", type("HDM", (), {
        "load": staticmethod(lambda folder, **_: Detector())}), raising=False)
    for folder in ("data/plates/ddm_train/detector", "registered"):
        (project / folder).mkdir(parents=True)
        (project / folder / "detector.json").write_text(json.dumps({"calibration": {
            "normal_scores": [0.1, 0.5], "appearance": [[0, 0, 0], [1, 1, 1]],
            "synthetic_scores": [], "pixel": [1, 0], "image": [1, 0], "groups": []}}))
        (project / folder / "operating_point.json").write_text(json.dumps({
            "threshold": 0.5, "false_alarm_rate": 0.05, "certified": False, "basis": "rate",
            "escape_rate": None, "cost": None, "parts": 2, "promised_rate": 0.5,
            "likely_rate": 0.9, "picture_rate": 0.5}))
    record_outputs(project, "plates")
    folder = project / "shots"
    folder.mkdir()
    Image.new("L", (6, 4), 0).save(folder / "black.png")
    (folder / "broken.png").write_text("hello")
    Image.new("L", (6, 4), 255).save(folder / "white.png")
    return folder


def log(project: Path) -> PredictionLog:
    return PredictionLog(project / "data" / "plates" / "log", Monitor())


def test_predictions_are_logged_on_request_only(hdm, project, shots) -> None:
    hdm("predict", "plates", "shots")
    assert log(project).read().empty
    assert hdm("predict", "plates", "shots", "--log").code == 1  # one cannot be read
    rows = log(project).read()
    assert [Path(name).name for name in rows["name"]] == ["black.png", "broken.png", "white.png"]
    assert list(rows["decision"]) == ["good", "undecidable", "defect"]
    assert set(rows["source"]) == {"cli"}
    assert set(rows["model"]) == {"trained"}
    assert rows["reason"].iloc[1] == "a text file"


@pytest.mark.parametrize(("rule", "options", "parts"), [
    ("", (), [None] * 3), ("", ("--part", "A7"), ["A7"] * 3),
    ("{part}te", (), [None, None, "whi"]), ("{part}te", ("--part", "A7"), ["A7"] * 3)])
def test_parts_are_read_from_names_or_said(hdm, project, shots, rule, options, parts) -> None:
    if rule:
        text = (project / "pipelines.yaml").read_text()
        (project / "pipelines.yaml").write_text(text.replace(
            "format: folder}", f'format: folder, part_rule: "{rule}"}}'))
    hdm("predict", "plates", "shots", "--log", *options)
    found = log(project).read()["part"]
    assert [None if part != part else part for part in found] == parts


def test_what_cannot_be_promised_is_printed(hdm, project, shots, monkeypatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    file = project / "data/plates/ddm_train/detector/detector.json"
    content = json.loads(file.read_text())
    content["calibration"]["groups"] = [4, 4]
    file.write_text(json.dumps(content))
    record_outputs(project, "plates")
    hdm("predict", "plates", "shots", "--log")
    found = hdm("monitor", "plates")
    assert "Calibration parts have up to 2 pictures each, and 3 of 3 logged" in found.out
    page = (project / "data/plates/monitor/index.html").read_text()
    assert "That cannot be promised here." in page and "part_rule" in page


def test_the_live_model_judges_what_is_logged(hdm, project, shots, monkeypatch) -> None:
    from hdm.registry import fetch

    monkeypatch.setattr(fetch, "live_version", lambda line: "7")
    monkeypatch.setattr(fetch, "fetch", lambda line, uri, into: fetch.Fetched(
        uri.rpartition("/")[2], project / "registered"))
    hdm("predict", "plates", "shots", "--log")
    hdm("predict", "plates", "shots", "--log", "--model", "models:/hdm-plates/4")
    assert list(log(project).read()["model"]) == ["7"] * 3 + ["4"] * 3


def test_a_line_without_a_model(hdm, project) -> None:
    found = hdm("monitor", "plates")
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("plates has no model in service yet; `hdm run plates`")
    assert "no product line 'x'" in hdm("monitor", "x").err


def test_a_look_prints_what_is_watched(hdm, project, shots, monkeypatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    hdm("predict", "plates", "shots", "--log")
    found = hdm("monitor", "plates")
    assert found.code == 0, found.err
    assert "Sharpness" in found.out
    assert "plates, version trained: no change in 3 images." in found.out
    assert "data/plates/monitor/index.html" in found.out
    record = json.loads(hdm("monitor", "plates", "--json").out)
    assert record.pop("told") == []
    assert record == json.loads((project / "data/plates/monitor/status.json").read_text())
    assert record["state"] == "steady"


def test_a_damaged_log_is_one_sentence(hdm, project, shots, monkeypatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    log(project).folder.mkdir(parents=True)
    log(project).file.write_text("no database at all" * 100)
    found = hdm("monitor", "plates")
    assert found.code == 2
    assert found.err.count("\n") == 1 and "is damaged" in found.err
