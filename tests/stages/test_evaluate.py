"""The evaluate stage with a fake detector: what it writes, logs, and leaves when it fails."""

import json

import pandas as pd
import pytest
from evaluated import TEST_SET, FakeDetector, RecordingRun, make_line, names, read, run

from hdm.errors import DataError, HDMError
from hdm.stages import evaluate as stage

FILES = ["by_defect_type.csv", "detection.json", "feedback.json", "headline.json", "heatmaps",
         "histogram.csv",
         "intervals.json", "metrics.json", "metrics_undefined.json", "operating_curve.csv",
         "operating_point.json",
         "pixel_pr.csv", "pixel_roc.csv", "pr.csv", "pro.csv", "report.html", "roc.csv",
         "scores.parquet", "test_set.json"]
REQUIRED = {"image_auroc", "pixel_auroc", "image_ap", "pixel_ap", "aupro", "image_f1", "threshold"}


@pytest.fixture
def detector(monkeypatch):
    fake = FakeDetector()
    loaded = []

    class Loader:
        @staticmethod
        def load(folder, device, precision, threads):
            loaded.append((folder, device, precision, threads))
            return fake

    fake.loaded = loaded
    monkeypatch.setattr(stage, "HDM", Loader)
    return fake


def test_it_writes_every_file(tmp_path, detector):
    line = make_line(tmp_path)
    run(line)
    folder = line.stage_folder("evaluate")
    assert names(folder) == FILES
    metrics = read(line, "metrics.json")
    assert set(metrics) >= REQUIRED
    assert metrics["image_auroc"] == metrics["pixel_auroc"] == metrics["image_f1"] == 1
    assert metrics["threshold"] == 0.1
    assert metrics["stated_false_alarm_rate"] == 0.05
    assert metrics["calibration_images"] == 3
    assert metrics["smallest_false_alarm_rate"] == 0.25
    assert all(value is None or isinstance(value, int | float) for value in metrics.values())
    assert read(line, "metrics_undefined.json") == {}
    assert read(line, "intervals.json")["image_auroc"] == {"low": 1, "high": 1, "reason": ""}
    scores = pd.read_parquet(folder / "scores.parquet")
    assert len(scores) == 18
    assert scores["path"].is_monotonic_increasing
    assert pd.read_csv(folder / "by_defect_type.csv")["images"].tolist() == [3, 3]
    assert names(folder / "heatmaps") == [
        "detected.png", "good.png", "type_dent.png", "type_scratch.png"]


def test_images_go_through_in_batches_with_the_lines_compute_settings(tmp_path, detector):
    line = make_line(tmp_path)
    run(line)
    assert sorted(detector.batches) == [2, 16]  # side by side, in any order
    assert detector.loaded == [(line.detector_folder, "auto", "auto", 2)]


def test_two_runs_are_byte_for_byte_the_same(tmp_path, detector):
    line = make_line(tmp_path)

    def content():
        run(line)
        folder = line.stage_folder("evaluate")
        return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    assert content() == content()


def test_everything_is_logged(tmp_path, detector):
    tracking = RecordingRun()
    run(make_line(tmp_path), tracking)
    assert tracking.metrics["image_auroc"] == 1
    assert tracking.metrics["stated_false_alarm_rate"] == 0.05
    places = dict(tracking.artifacts)
    assert set(places) == set(FILES)
    assert places["roc.csv"] == "curves"
    assert places["heatmaps"] == "heatmaps"
    assert [row["defect_type"] for row in tracking.tables["by_defect_type"]] == ["dent", "scratch"]
    auroc = next(row for row in tracking.tables["metrics_table"] if row["metric"] == "image_auroc")
    assert (auroc["value"], auroc["low"], auroc["high"]) == (1, 1, 1)


def test_the_terminal_shows_an_auroc_table(tmp_path, detector):
    shown = run(make_line(tmp_path))
    for text in ("plates: test AUROC", "dent", "scratch", "all", "1.000", "threshold 0.1"):
        assert text in shown


def test_the_report_tells_what_earlier_stages_left(tmp_path, detector):
    line = make_line(tmp_path)
    (line.stage_folder("pom_filter")).mkdir(parents=True)
    (line.stage_folder("pom_filter") / "funnel.json").write_text(json.dumps(
        {"candidates": 4, "reasons": {"kept": {"count": 3, "meaning": "trained on"}}}))
    (line.stage_folder("ingest") / "split_table.json").write_text('{"test": {"good": 12}}')
    run(line)
    report = (line.stage_folder("evaluate") / "report.html").read_text()
    for text in ("plates", "q@example.com", "1,234,567", "32 × 32", "kept: trained on",
                 "Images by split", "cannot promise", "dagm_synthesize"):
        assert text in report
    assert "nested" not in report
    assert str(tmp_path) not in report


def test_the_test_set_is_named_beside_the_scores(tmp_path, detector):
    line = make_line(tmp_path)
    tracking = RecordingRun()
    run(line, tracking)
    assert read(line, "test_set.json") == TEST_SET
    assert tracking.tags["test_set"] == "test-0123abcd"
    assert "test-0123abcd, frozen as spring: 18 images, 12 of them good" in (
        line.stage_folder("evaluate") / "report.html").read_text()


def test_without_defects_the_reasons_are_written(tmp_path, detector):
    line = make_line(tmp_path, defects=0)
    run(line)
    assert read(line, "metrics.json")["image_auroc"] is None
    assert "no defective images" in read(line, "metrics_undefined.json")["image_auroc"]
    assert (line.stage_folder("evaluate") / "roc.csv").read_text().startswith('"false_positive')


def test_without_masks_the_reasons_are_written(tmp_path, detector):
    line = make_line(tmp_path, masks=False)
    tracking = RecordingRun()
    run(line, tracking)
    assert read(line, "metrics.json")["pixel_auroc"] is None
    assert read(line, "metrics.json")["image_auroc"] == 1
    assert tracking.tables["by_defect_type"][0]["pixel_auroc"] is None


def test_a_bad_image_leaves_the_last_good_outputs(tmp_path, detector):
    line = make_line(tmp_path)
    run(line)
    folder = line.stage_folder("evaluate")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    (line.source_root / "test/good/003.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"003\.png"):
        run(line)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert names(folder) == FILES


@pytest.mark.parametrize("last", ["metrics.json", "feedback.json", "test_set.json"])
def test_outputs_appear_together_or_not_at_all(tmp_path, detector, monkeypatch, last):
    line, write = make_line(tmp_path), stage.write_json
    run(line)
    folder = line.stage_folder("evaluate")
    for name in ("detection.json", "report.html", "roc.csv"):
        (folder / name).write_text("of another training")

    def fail(file, content):
        if file.name == last:
            raise HDMError("the disk is full")
        write(file, content)

    monkeypatch.setattr(stage, "write_json", fail)
    with pytest.raises(HDMError, match="the disk is full"):
        run(line)
    assert names(folder) == FILES and {(folder / name).read_text() for name in (
        "detection.json", "report.html", "roc.csv")} == {"of another training"}


def test_old_sheets_do_not_stay(tmp_path, detector):
    line = make_line(tmp_path)
    stale = line.stage_folder("evaluate") / "heatmaps" / "type_gone.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    run(line)
    assert not stale.exists()


def test_an_empty_test_split_is_one_sentence(tmp_path, detector):
    line = make_line(tmp_path, good=0, defects=0)
    with pytest.raises(HDMError, match="expected a test split with images"):
        run(line)
