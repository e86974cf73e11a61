"""prefect.yaml is what pipelines.yaml says."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows import deployments, serve
from flows.retrain import ALL, hdm_retrain
from hdm.config import load_pipelines
from hdm.errors import ConfigError
from hdm.settings import Pipelines

ROOT = Path(deployments.__file__).parents[1]
PIPELINES = """\
lines:
  a-1:
    description: 'Plates: "blank"'
    tags: [metal]
    source: {path: raw}
    schedule: {cron: "*/5 3 * * 1", timezone: Europe/Berlin, active: false}
  b_2:
    source: {path: raw}
"""


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    return tmp_path


def test_one_deployment_a_line_and_all(plant: Path) -> None:
    content = YAML(typ="safe").load(deployments.document(plant))
    first, second, every = content["deployments"]
    assert [d["name"] for d in (first, second, every)] == ["a-1", "b_2", "all"]
    assert first["parameters"] == {"product_line": "a-1"}
    assert first["description"] == 'Plates: "blank"'
    assert first["tags"] == ["hdm", "line:a-1", "metal"]
    assert first["schedules"] == [
        {"cron": "*/5 3 * * 1", "timezone": "Europe/Berlin", "active": False}]
    assert "schedules" not in second
    assert every["parameters"] == {"product_line": "all"}
    for entry in content["deployments"]:
        assert entry["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        assert entry["work_pool"] == {"name": "hdm-pool"}
        file, name = entry["entrypoint"].split(":")
        assert (ROOT / file).is_file()
        assert name == hdm_retrain.fn.__name__


def test_no_machine_path_is_stored(plant: Path) -> None:
    text = deployments.document(plant)
    assert str(plant) not in text
    assert "{{ $PWD }}" in text


def test_write_is_idempotent_and_check_shows_the_difference(plant: Path) -> None:
    assert "+  - name: b_2" in deployments.difference(plant)
    assert deployments.write(plant) is True
    assert deployments.difference(plant) == ""
    assert deployments.write(plant) is False
    edited = (plant / "pipelines.yaml").read_text().replace("Europe/Berlin", "UTC")
    (plant / "pipelines.yaml").write_text(edited)
    assert "+        timezone: UTC" in deployments.difference(plant)


def test_a_line_cannot_be_called_all() -> None:
    pipelines = Pipelines.model_validate({"lines": {"all": {"source": {"path": "x"}}}})
    with pytest.raises(ConfigError, match="'all'"):
        deployments.deployments(pipelines)


def test_names_agree_with_the_flow() -> None:
    assert (hdm_retrain.name, ALL) == (deployments.FLOW, deployments.ALL)


def test_committed_prefect_yaml_fits_pipelines_yaml() -> None:
    assert deployments.difference(ROOT) == ""
    lines = load_pipelines(ROOT).lines
    assert any(entry.schedule for entry in lines.values())


@pytest.mark.usefixtures("prefect_server")
def test_served_flow_is_the_same_as_in_prefect_yaml(
        plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list = []
    monkeypatch.setattr(serve, "serve", lambda *chosen, **_: given.extend(chosen))
    monkeypatch.setattr(serve, "ENTRYPOINT", str(ROOT / deployments.ENTRYPOINT))
    monkeypatch.chdir(ROOT)  # so that leaving it again is undone
    serve.main(plant)
    assert [d.name for d in given] == ["a-1", "b_2", "all"]
    assert [d.parameters["product_line"] for d in given] == ["a-1", "b_2", "all"]
    assert {d.flow_name for d in given} == {"hdm-retrain"}
    schedule = given[0].schedules[0]
    assert (schedule.schedule.cron, schedule.schedule.timezone, schedule.active) == \
        ("*/5 3 * * 1", "Europe/Berlin", False)
    assert not given[1].schedules
    assert all(d.concurrency_limit == 1 for d in given)
