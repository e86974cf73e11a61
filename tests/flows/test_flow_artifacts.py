"""What is shown in Prefect, from files to text."""

import json
from pathlib import Path

import pytest
from toy import make_project

from flows import artifacts
from flows.stage import REJECTED, StageFailed
from hdm.line import Line
from hdm.orchestration.line_summary import Summary


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("artifacts"))


def put(line: Line, path: str, content: object) -> None:
    file = line.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


@pytest.fixture
def line(plant: Path) -> Line:
    found = Line.load("good", plant)
    put(found, "evaluate/metrics.json",
        {"image_auroc": 0.98765, "pixel_auroc": None, "threshold": 1.5})
    put(found, "evaluate/metrics_undefined.json", {"pixel_auroc": "there are no masks"})
    put(found, "evaluate/intervals.json",
        {"image_auroc": {"low": 0.9, "high": 1.0, "reason": ""},
         "pixel_auroc": {"low": None, "high": None, "reason": "no masks"}})
    put(found, "register/receipt.json", {
        "outcome": "refuse", "version": "4", "run_id": "r1", "store": "9@123",
        "reasons": [{"code": "image_auroc_below_minimum", "sentence": "Too low."}]})
    put(found, "pom_filter/funnel.json", {
        "candidates": 12, "reasons": {"kept": {"count": 9, "meaning": "good to train on"}},
        "shares": {"cut_paste": 1 / 3, "fill": 2 / 3}})
    return found


@pytest.mark.parametrize(("line", "what", "key"), [
    ("bottle", "auroc", "hdm-bottle-auroc"), ("cast_bracket", "gate", "hdm-cast-bracket-gate")])
def test_keys_are_what_prefect_accepts(line: str, what: str, key: str) -> None:
    from prefect.types.names import raise_on_name_alphanumeric_dashes_only as check

    assert artifacts.key(line, what) == key
    check(key)


def test_metric_rows_show_values_intervals_and_why_there_is_none(line: Line) -> None:
    rows = {row["metric"]: row for row in artifacts.metric_rows(Summary.load(line))}
    assert rows["image_auroc"] == {"metric": "image_auroc", "value": "0.988",
                                   "interval": "0.900 to 1.000", "note": ""}
    assert rows["pixel_auroc"]["value"] == "–"
    assert rows["pixel_auroc"]["interval"] == "–"
    assert rows["pixel_auroc"]["note"] == "there are no masks"


def test_decision_says_version_and_reasons(line: Line) -> None:
    found = artifacts.decision(line)
    assert found["decision"] == "refused"
    assert found["sentence"] == "good: version 4 refused: Too low."
    assert "- Too low." in artifacts.gate_text(Summary.load(line))


def test_links_lead_to_the_run_and_the_version(
        line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    assert artifacts.links(Summary.load(line)) == {
        "mlflow run":
            "http://127.0.0.1:5000/#/experiments/9/runs/r1?workflowType=machine_learning",
        "model version":
            "http://127.0.0.1:5000/#/models/hdm-good/versions/4?workflowType=machine_learning"}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.plant.example/")
    assert artifacts.links(Summary.load(line))["mlflow run"] == \
        "https://mlflow.plant.example/#/experiments/9/runs/r1?workflowType=machine_learning"


def test_a_retraining_that_has_not_ended_is_the_run_to_look_at(line: Line) -> None:
    put(line, "ledger.json", {"retrain": {"run_id": "r2", "store": "9@123"}})
    try:
        assert artifacts.links(Summary.load(line))["mlflow run"].split("?")[0].endswith("/runs/r2")
    finally:
        (line.folder / "ledger.json").unlink()


def test_funnel_lists_what_was_kept(line: Line) -> None:
    text = artifacts.funnel_text(Summary.load(line))
    assert "# 12 candidates" in text
    assert "| kept | 9 | good to train on |" in text
    assert "| cut_paste | 33% |" in text and "| fill | 67% |" in text


def test_a_line_that_never_ran_has_empty_results(plant: Path) -> None:
    fresh = Line.load("stuck", plant)
    summary = Summary.load(fresh)
    assert artifacts.links(summary) == {}
    assert artifacts.funnel_text(summary) == "No funnel was stored."
    assert artifacts.decision(fresh)["decision"] == "completed"
    assert {row["value"] for row in artifacts.metric_rows(summary)} == {"–"}


def test_failure_gives_reason_advice_and_output() -> None:
    error = StageFailed("validate", "good", "2 images are blank.", outcome=REJECTED,
                        tail=("one", "```", "two"))
    text = artifacts.failure_text(error)
    assert text.startswith("# Rejected data: validate of good\n\n2 images are blank.")
    assert "registry are as they were" in text
    assert text.count("```") == 2  # output cannot break out of its block
    crash = artifacts.failure_text(StageFailed("ddm_train", "good", "No memory."))
    assert "continues where it stopped" in crash
