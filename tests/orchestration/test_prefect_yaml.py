"""prefect.yaml is what pipelines.yaml says."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from flows import serve
from flows.retrain import ALL, hdm_retrain
from hdm.config import load_pipelines
from hdm.errors import ConfigError
from hdm.orchestration import prefect_yaml
from hdm.orchestration.prefect_yaml import MONITOR, RETRAIN

ROOT = Path(prefect_yaml.__file__).parents[2]
PIPELINES = """\
lines:
  a-1:
    description: 'Plates: "blank"'
    tags: [metal]
    source: {path: raw}
    schedule: {cron: "*/5 3 * * 1", timezone: Europe/Berlin, active: false}
    monitor_schedule: {cron: "0 * * * *"}
  b_2:
    source: {path: raw}
    overrides: {monitor: {retrain: false}}
"""


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    return tmp_path


def entries(plant: Path) -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load(prefect_yaml.document(plant))["deployments"])


def test_two_deployments_a_line_and_all(plant: Path) -> None:
    first, second, every, look, other_look = entries(plant)
    names = [d["name"] for d in (first, second, every, look, other_look)]
    assert names == ["a-1", "b_2", "all", "a-1", "b_2"]
    assert first["parameters"] == {"product_line": "a-1"}
    assert first["description"] == 'Plates: "blank"'
    assert first["tags"] == ["hdm", "line:a-1", "metal"]
    assert first["schedules"] == [
        {"cron": "*/5 3 * * 1", "timezone": "Europe/Berlin", "active": False}]
    assert "schedules" not in second
    assert every["parameters"] == {"product_line": "all"}
    assert look["parameters"] == {"product_line": "a-1"}
    assert look["schedules"] == [{"cron": "0 * * * *", "timezone": "UTC", "active": True}]
    assert "schedules" not in other_look
    for entry, flow in zip(entries(plant), [RETRAIN] * 3 + [MONITOR] * 2, strict=True):
        assert entry["entrypoint"] == prefect_yaml.ENTRYPOINTS[flow]
        assert entry["work_pool"]["name"] == "hdm-pool"
        file, name = entry["entrypoint"].split(":")
        assert (ROOT / file).is_file()
        assert name == flow.replace("-", "_")


def test_drift_retrains_the_lines_that_want_it(plant: Path) -> None:
    first, second, every, look, _ = entries(plant)
    [trigger] = first["triggers"]
    assert trigger["match"] == {"prefect.resource.id": "hdm.line.a-1"}
    assert trigger["expect"] == ["hdm.drift.detected"]
    assert trigger["parameters"] == {"product_line": "a-1"}
    assert not any("triggers" in entry for entry in (second, every, look))


def test_prefect_accepts_the_trigger(plant: Path) -> None:
    from prefect.events import DeploymentEventTrigger

    trigger = DeploymentEventTrigger.model_validate(entries(plant)[0]["triggers"][0])
    assert trigger.expect == {prefect_yaml.DRIFT_EVENT}


def test_no_machine_path_is_stored(plant: Path) -> None:
    text = prefect_yaml.document(plant)
    assert str(plant) not in text
    assert "working_dir: ." in text  # of the worker


def test_write_is_idempotent_and_check_shows_the_difference(plant: Path) -> None:
    assert "+  - name: b_2" in prefect_yaml.difference(plant)
    assert prefect_yaml.write(plant) is True
    assert prefect_yaml.difference(plant) == ""
    assert prefect_yaml.write(plant) is False
    edited = (plant / "pipelines.yaml").read_text().replace("Europe/Berlin", "UTC")
    (plant / "pipelines.yaml").write_text(edited)
    assert "+        timezone: UTC" in prefect_yaml.difference(plant)


def test_a_line_cannot_be_called_all(plant: Path) -> None:
    (plant / "pipelines.yaml").write_text("lines: {all: {source: {path: x}}}\n")
    with pytest.raises(ConfigError, match="'all'"):
        prefect_yaml.deployments(plant)


def test_names_agree_with_the_flows() -> None:
    from flows.monitor import hdm_monitor

    assert (hdm_retrain.name, ALL) == (RETRAIN, prefect_yaml.ALL)
    assert hdm_monitor.name == MONITOR


def test_committed_prefect_yaml_fits_pipelines_yaml() -> None:
    assert prefect_yaml.difference(ROOT) == ""
    lines = load_pipelines(ROOT).lines
    assert any(entry.schedule for entry in lines.values())


@pytest.mark.usefixtures("prefect_server")
def test_served_flow_is_the_same_as_in_prefect_yaml(
        plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list = []
    monkeypatch.setattr(serve, "serve", lambda *chosen, **_: given.extend(chosen))
    monkeypatch.setattr(serve, "ENTRYPOINTS", {
        flow: str(ROOT / path) for flow, path in prefect_yaml.ENTRYPOINTS.items()})
    monkeypatch.chdir(ROOT)  # so that leaving it again is undone
    serve.main(plant)
    names = ["a-1", "b_2", "all", "a-1", "b_2"]
    assert [d.name for d in given] == names
    assert [d.parameters["product_line"] for d in given] == names
    assert [d.flow_name for d in given] == [RETRAIN] * 3 + [MONITOR] * 2
    assert [len(d.triggers) for d in given] == [1, 0, 0, 0, 0]
    schedule = given[0].schedules[0]
    assert (schedule.schedule.cron, schedule.schedule.timezone, schedule.active) == \
        ("*/5 3 * * 1", "Europe/Berlin", False)
    assert not given[1].schedules
    assert given[3].schedules[0].schedule.cron == "0 * * * *"
