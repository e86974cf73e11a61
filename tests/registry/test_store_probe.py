"""The store probe notices what the MLflow store lost, and is calm otherwise."""

import json

import pytest
from registry_lines import copy_store, make_line, retrain

from hdm.errors import HDMError
from hdm.files import read_json
from hdm.line import Line
from hdm.stages import store_probe
from hdm.stages.runner import run_stage


def test_probe_is_calm_until_something_is_lost(ready, client, console, template):
    def probe() -> bytes:
        store_probe.run(ready)
        return ready.store_file.read_bytes()
    first = probe()
    assert json.loads(first) == {"lost": None}
    run = retrain(ready, console, 1.0)["run_id"]
    assert probe() == first
    client.delete_model_version("hdm-plate", "1")
    lost = probe()
    assert json.loads(lost) == {"lost": f"version 1 of run {run}"}
    assert probe() == lost
    again = retrain(ready, console, 1.0)
    assert again["version"] == "2"
    assert probe() == lost
    copy_store(template, ready.project)  # an old backup, without any version
    assert json.loads(probe()) == {"lost": f"version 2 of run {again['run_id']}"}


def test_probe_sees_an_emptied_store_and_another_one(ready, client, console, tmp_path, monkeypatch):
    store_probe.run(ready)
    before = ready.store_file.read_bytes()
    first = retrain(ready, console, 1.0)["run_id"]
    client.delete_registered_model("hdm-plate")
    store_probe.run(ready)
    assert read_json(ready.store_file) == {"lost": f"version 1 of run {first}"} != before
    second = retrain(ready, console, 1.0)["run_id"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    store_probe.run(ready)
    assert read_json(ready.store_file) == {"lost": f"version 1 of run {second}"}


def test_probe_asks_nothing_of_a_line_that_was_never_registered(tmp_path):
    line = make_line(tmp_path)
    store_probe.run(line)
    assert read_json(line.store_file) == {"lost": None}
    assert not (tmp_path / "mlflow.db").exists()


def test_probe_without_tracking(tmp_path, monkeypatch):
    monkeypatch.setenv("HDM_TRACKING", "off")
    line = make_line(tmp_path)
    store_probe.run(line)
    assert read_json(line.store_file) == {"tracking": "off"}


def test_every_line_is_looked_at_where_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HDM_TRACKING", "off")
    (tmp_path / "params.yaml").write_text("{}")
    (tmp_path / "pipelines.yaml").write_text(
        "lines: {plate: {source: {path: a}}, mesh: {source: {path: b}}}")
    run_stage("store_probe", project=tmp_path)
    for name in ("plate", "mesh"):
        assert read_json(Line.load(name, tmp_path).store_file) == {"tracking": "off"}
    with pytest.raises(HDMError, match="name it: `hdm stage register LINE`"):
        run_stage("register", project=tmp_path)
