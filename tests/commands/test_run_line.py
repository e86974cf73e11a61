"""`hdm results`, `hdm report`, `hdm samples`."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from hdm.commands.run_line import viewers
from hdm.evaluation.stopped_parts import count_stopped
from hdm.orchestration.line_result import LineResult


def put(project: Path, path: str, content: object) -> None:
    file = project / "data" / "plates" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def test_table_shows_what_each_line_has(hdm, project) -> None:
    put(project, "evaluate/metrics.json",
        {"image_auroc": 0.98765, "pixel_auroc": None, "threshold": 2.5})
    put(project, "register/receipt.json", {"outcome": "promote", "version": "4", "reasons": []})
    found = hdm("results")
    assert found.code == 0
    plates, meshes = (next(row for row in found.out.splitlines() if name in row)
                      for name in ("plates", "meshes"))
    assert [cell.strip() for cell in plates.strip("│").split("│")] == [
        "plates", "trained", "0.988", "–", "–", "–", "2.500", "version 4 promoted"]
    assert meshes.count("–") == 7
    assert "mlflow ui --backend-store-uri sqlite:///mlflow.db" in found.out
    assert "prefect server start" in found.out


def test_recall_and_false_alarms_are_shown_with_counts_and_by_type(hdm, project) -> None:
    found = count_stopped([
        {"label": int(n >= 20), "defect_type": ("good", "dent", "crack")[n // 20],
         "group": str(n), "decision": "defect" if n in {3, *range(25, 60)} else "good"}
        for n in range(60)], 0.95)
    put(project, "evaluate/detection.json", found.as_dict())
    put(project, "evaluate/metrics.json", {"image_auroc": 0.9})
    (project / "data/plates/evaluate/by_defect_type.csv").write_text(
        "defect_type,image_auroc\ndent,0.8125\ncrack,\n")
    whole, one = hdm("results"), hdm("results", "plates")
    for said in ("87.5 %, 35 of 40", "73.2 % to 95.8 %", "5 %, 1 of 20", "0.1 % to 24.9 %",
                 "plates: the worst type of defect is dent, 15 of 20 stopped"):
        assert said in whole.out and said in one.out
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in one.out.splitlines()]
    assert ["dent", "15 of 20", "75 %", "50.9 % to 91.3 %", "0", "0.812"] in cells
    assert ["crack", "20 of 20", "100 %", "83.2 % to 100 %", "0", "–"] in cells
    assert ["good parts", "1 of 20", "5 %", "0.1 % to 24.9 %", "0", ""] in cells
    assert "meshes" not in one.out
    told, rest = json.loads(hdm("results", "--json").out)
    assert (told["line"], told["version"], rest["line"]) == ("plates", "trained", "meshes")
    assert told["detection"] == found.as_dict() and rest["detection"] is None
    assert told["image_auroc_by_type"] == {"crack": None, "dent": 0.8125}
    assert told["figures"]["image_auroc"] == 0.9
    assert hdm("results", "nothing").code == 2


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_damaged_results_are_shown_as_missing(hdm, project, text) -> None:
    put(project, "evaluate/metrics.json", {})
    (project / "data/plates/evaluate/metrics.json").write_text(text)
    found = hdm("results")
    assert found.code == 0
    assert "plates" in found.out


def test_viewers_can_be_typed_as_they_are_shown(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    commands = dict(viewers())
    assert commands["MLflow:"].split(" ", 1)[1].startswith(".venv/bin/mlflow ui ")
    assert commands[""].endswith("http://127.0.0.1:5000/#/models")
    assert commands["Prefect:"] == ".venv/bin/prefect server start"
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example")
    assert dict(viewers())["MLflow:"] == "open http://mlflow.example"
    assert dict(viewers())[""].endswith("http://mlflow.example/#/models")
    assert dict(viewers())["Prefect:"] == "prefect server start"


def test_a_line_that_answers_has_its_versions_page(monkeypatch) -> None:
    live = LineResult("plates", "3", {}, "version 3 promoted")
    page = "#/models/hdm-plates/versions/3?workflowType=machine_learning"
    assert dict(viewers(live))[""] == f"the model is at http://127.0.0.1:5000/{page}"
    monkeypatch.setenv("HDM_MLFLOW_UI", "https://mlflow.plant.example/ml/")
    assert live.as_dict()["page"] == f"https://mlflow.plant.example/ml/{page}"
    trained = LineResult("plates", "trained", {}, "")
    assert dict(viewers(trained))[""] == "the models are at https://mlflow.plant.example/ml/#/models"
    assert trained.as_dict()["page"] == ""


def test_report_is_printed_and_opened(hdm, project, monkeypatch) -> None:
    import webbrowser

    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    missing = hdm("report", "plates")
    assert missing.code == 2
    assert "hdm run plates" in missing.err
    put(project, "evaluate/report.html", "<html>")
    file = project / "data" / "plates" / "evaluate" / "report.html"
    assert hdm("report", "plates", "--no-browser") == (0, f"{file}\n", "")
    assert opened == []
    assert hdm("report", "plates").code == 0
    assert opened == [file.as_uri()]


def test_samples_are_drawn_once(hdm, project, monkeypatch) -> None:
    from hdm import samples

    drawn = []

    def draw(name: str, folder: Path, *, seed: int, progress) -> None:
        drawn.append((name, seed))
        folder.mkdir(parents=True)
        (folder / "parts.csv").touch()
        progress(1, 1)

    monkeypatch.setattr(samples, "draw_line", draw)
    monkeypatch.setattr(samples, "contact_sheet", lambda _: Image.new("RGB", (4, 4)))
    assert hdm("samples", "woven_mesh", "--seed", "3").code == 0
    again = hdm("samples", "woven_mesh", "--contact-sheet")
    assert "already there" in again.out
    assert drawn == [("woven_mesh", 3)]
    assert Image.open(project / "data/woven_mesh/contact_sheet.png").size == (4, 4)
    assert hdm("samples").code == 0
    assert {name for name, _ in drawn} == set(samples.SAMPLE_LINES)
    assert "no sample line 'bolts'" in hdm("samples", "bolts").err
