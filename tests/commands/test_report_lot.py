"""`hdm lot`: from results to the PDF."""

import json
from pathlib import Path

import pytest
from pypdf import PdfReader
from recorded_stages import record_outputs

from hdm.watching.results_file import ResultsFile

POINT = {"threshold": 0.5, "false_alarm_rate": 0.05, "certified": True, "basis": "rate",
         "escape_rate": None, "cost": None, "parts": 21, "promised_rate": 0.05,
         "likely_rate": 0.1, "picture_rate": 0.05}


@pytest.fixture
def watched(project: Path) -> Path:
    folder = project / "data/plates/ddm_train/detector"
    folder.mkdir(parents=True)
    (folder / "detector.json").write_text("{}")
    (folder / "operating_point.json").write_text(json.dumps(POINT))
    record_outputs(project, "plates")
    results = ResultsFile(project / "data/plates/watch/results.csv", "plates")
    results.append([
        {"number": number, "line": "plates", "lot": lot, "path": f"{number}.png", "score": 0.7,
         "decision": "defect", "model_version": version, "threshold": 0.5, "bytes": 1,
         "modified_ns": 1, "sha256": str(number), "time": "2026-10-01T18:00:00Z"}
        for number, (lot, version) in enumerate([("A/7", "trained"), ("B8", "4")], 1)])
    return folder


def test_the_report_of_a_lot_is_written(hdm, project, watched) -> None:
    found = hdm("lot", "plates", "--lot", "A/7")
    assert (found.code, found.err) == (0, "")
    assert "plates, A/7: 1 pictures: 1 defect" in found.out
    target = project / "data/plates/lots/A_7.pdf"
    assert f"report: {target}" in found.out
    said = PdfReader(target).pages[0].extract_text()
    assert "Promised are false alarms on at most 5 % of good parts" in " ".join(said.split())


def test_a_version_that_is_gone_is_said_in_the_report(hdm, project, watched) -> None:
    found = hdm("lot", "plates", "--output", "all.pdf")
    assert found.code == 0
    said = " ".join(PdfReader(project / "all.pdf").pages[0].extract_text().split())
    assert "Version trained: Promised are" in said
    assert "What version 4 promises of false alarms is not known here: there is no registry" in said


@pytest.mark.parametrize(("arguments", "said"), [
    (("--lot", "C9"), "there are: A/7, B8"), (("--from", "elsewhere"), "found neither")])
def test_what_cannot_be_reported_is_one_sentence(hdm, project, watched, arguments, said) -> None:
    found = hdm("lot", "plates", *arguments)
    assert found.code == 3
    assert said in found.err and found.err.count("\n") == 1
    assert not (project / "data/plates/lots").exists()
