"""A line's page is drawn, and its pictures fetched, when something is new."""

from types import SimpleNamespace

import pytest

from hdm.files import write_json
from hdm.line import Line
from hdm.monitoring import kept_page
from hdm.monitoring.kept_page import write_line_page
from hdm.pipelines import ProductLine, Source
from hdm.registry import promotion
from hdm.registry.address import tracking_uri
from hdm.registry.mlflow_client import connect, load_mlflow, opened
from hdm.registry.promotion import put_in_service
from hdm.registry.store import prepare
from hdm.settings import Params


@pytest.fixture
def line(tmp_path, monkeypatch) -> Line:
    """A line with two versions in a real store, each with a heat map; the first is champion."""
    monkeypatch.setattr(promotion, "check_version", lambda *_: None)  # no files of models here
    line = Line("plate", tmp_path, ProductLine(source=Source(path="raw")), Params())
    store = prepare(line)
    client = connect(tracking_uri(tmp_path))
    for number in (1, 2):
        evaluated = client.create_run(store.experiment_id).info.run_id
        png = tmp_path / "escapes.png"
        png.write_bytes(f"picture {number}".encode())
        client.log_artifact(evaluated, str(png), "heatmaps")
        retrain = client.create_run(store.experiment_id, tags={"stage.evaluate": evaluated})
        client.log_text(retrain.info.run_id, "defect_type,image_auroc\ndent,0.5\n",
                        "by_defect_type.csv")
        client.create_model_version("hdm-plate", (tmp_path / "none").as_uri(), tags={
            "hdm.decision": "promote", "hdm.image_auroc": "0.9",
            "hdm.retrain_run": retrain.info.run_id})
    put_in_service(client, line, "1", "first")
    return line


@pytest.fixture
def fetched(monkeypatch) -> list[str]:
    """What was asked of MLflow's artifacts."""
    asked: list[str] = []
    mlflow = load_mlflow()

    def counted(**options):
        asked.append(options["run_id"])
        return mlflow.artifacts.download_artifacts(**options)

    monkeypatch.setattr(kept_page, "opened", lambda uri: (opened(uri)[0], SimpleNamespace(
        artifacts=SimpleNamespace(download_artifacts=counted,
                                  load_text=mlflow.artifacts.load_text))))
    return asked


def test_pictures_are_fetched_once_a_version_and_a_page_drawn_once_a_change(
        line, fetched, monkeypatch) -> None:
    drawn: list[str] = []
    render = kept_page.render
    monkeypatch.setattr(kept_page, "render", lambda page: drawn.append("") or render(page))
    uri = tracking_uri(line.project)
    file, _ = write_line_page(line, uri, anew=False)
    first = file.read_text()
    assert "Escapes" in first and "cGljdHVyZSAx" in first
    write_line_page(line, uri, anew=False)
    assert (len(fetched), len(drawn)) == (1, 1)
    write_json(line.folder / "monitor" / "status.json", {"state": "drift", "sentence": "darker"})
    write_line_page(line, uri, anew=False)
    assert "darker" in file.read_text() and "cGljdHVyZSAx" in file.read_text()
    assert (len(fetched), len(drawn)) == (1, 2)
    put_in_service(connect(uri), line, "2", "better")
    write_line_page(line, uri, anew=False)
    assert "cGljdHVyZSAy" in file.read_text() and "cGljdHVyZSAx" not in file.read_text()
    assert (len(fetched), len(drawn)) == (2, 3)
    write_line_page(line, uri, anew=True)
    assert (len(fetched), len(drawn)) == (2, 4)


def test_pictures_that_could_not_be_fetched_are_asked_for_again(line, fetched, monkeypatch) -> None:
    uri = tracking_uri(line.project)
    with monkeypatch.context() as patch:
        patch.setattr(kept_page, "opened", lambda uri: (
            connect(uri), SimpleNamespace(artifacts=SimpleNamespace())))
        file, _ = write_line_page(line, uri, anew=False)
    assert "version 1 cannot be fetched" in file.read_text()
    write_line_page(line, uri, anew=False)
    assert "cGljdHVyZSAx" in file.read_text() and len(fetched) == 1
