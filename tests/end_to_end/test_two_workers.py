"""Two checkouts with a worker each: one is killed in the middle of a line, the other ends it; and
Home leaves retraining to them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from services import wait_for

from benchmarks.pool import worker_kills
from benchmarks.pool.two_checkouts import Pool, pool
from hdm.home.home_app import build_home
from hdm.serving.serving_options import Options

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
STAGE = "ddm_train"
BY_HOME, STOPPED = "by-home", "stopped"
LINES = [worker_kills.UNBROKEN, worker_kills.name(STAGE), BY_HOME, STOPPED]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with pool(tmp_path_factory.mktemp("two_workers") / "pool", LINES, {"seed": 3}) as running:
        yield running


def test_a_killed_line_is_ended_elsewhere_as_if_nothing_had_been(two: Pool) -> None:
    wanted = worker_kills.unbroken(two)
    row = worker_kills.killed(two, STAGE, wanted, print)
    assert row["as unbroken"], row
    assert row["begun"] == 2


def test_another_checkout_finds_the_line_done(two: Pool, tmp_path: Path) -> None:
    made, receipt = two.receipt(worker_kills.UNBROKEN)
    other = next(site for name, site in two.sites.items() if name != made)
    said = other.call("python", "-m", "hdm", "run", worker_kills.UNBROKEN)
    assert said.count("is cached - skipping run") == 8  # configure, and all stages but register
    assert "made elsewhere" in said
    assert len(two.versions(worker_kills.UNBROKEN)) == 1
    file = other.project / "data" / worker_kills.UNBROKEN / "register" / "receipt.json"
    assert receipt["version"] in file.read_text()


@pytest.fixture
def home(two: Pool, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Of the first checkout."""
    site = next(iter(two.sites.values()))
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    return TestClient(build_home(site.project, Options()), base_url="http://localhost")


def ordered(home: TestClient, line: str) -> str:
    """Order a retraining; the number of its flow run."""
    answer = home.post(f"/v1/{line}/orders", json={"order": "retrain", "who": "ann"})
    assert answer.json()["command"] == f"prefect deployment run hdm-retrain/{line} --watch"
    row = wait_for(lambda: next((row for row in state(home, line)["output"] if "UUID" in row), ""),
                   60, "the run has a number")
    return str(row).rsplit(" ", 1)[-1]


def state(home: TestClient, line: str) -> dict[str, Any]:
    return dict(home.get(f"/v1/{line}/order").json())


def ended(home: TestClient, line: str) -> dict[str, Any]:
    wait_for(lambda: state(home, line)["state"] != "running", 400, f"the order of {line} ends")
    return state(home, line)


def test_a_line_is_retrained_by_one_of_the_workers_and_home_sees_it(two, home) -> None:
    run = ordered(home, BY_HOME)
    told = ended(home, BY_HOME)
    assert told["state"] == "done", told
    assert two.flow_run(run)["state_type"] == "COMPLETED"
    assert [version.version for version in two.versions(BY_HOME)] == ["1"]


def test_a_retraining_is_stopped_wherever_it_is_at_work(two, home) -> None:
    run = ordered(home, STOPPED)
    wait_for(lambda: two.running(STOPPED)[1], 200, "a stage is under way")
    began = time.monotonic()
    assert home.post(f"/v1/{STOPPED}/stop", json={}).status_code == 200
    assert ended(home, STOPPED)["state"] == "failed"
    assert time.monotonic() - began < 60
    assert two.flow_run(run)["state_type"] == "CANCELLED"
    assert two.versions(STOPPED) == []
