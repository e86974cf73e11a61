"""Deployments on a real Prefect server with a real worker, and what happens when these die.

One server and one toy plant for all tests, in this order; the line `stuck` waits in its ingest.
"""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from retrained import keep_lines
from services import Prefect, kill, prefect, processes_in, wait_for
from toy import calls, make_deployable, make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SILENCE = 40  # seconds; a run gives a sign of life every 30


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    folder = tmp_path_factory.mktemp("worker")
    project = make_deployable(make_project(folder / "plant"))
    with prefect(project, folder / "home") as running:
        assert "13 deployments" in running.call("python", "-m", "hdm", "deployments", "apply")
        yield running


@pytest.fixture
def worker(services: Prefect) -> Iterator[Any]:
    process = services.worker(2)
    yield process
    kill(process)
    for left_over in processes_in(services.project):
        if "prefect server" not in " ".join(left_over.cmdline()):
            left_over.kill()


def begin(services: Prefect) -> str:
    """A run that is in the middle of a stage."""
    folder = services.project / "data" / "stuck"
    for name in ("pid", "go"):
        (folder / name).unlink(missing_ok=True)
    run = services.request("hdm-retrain/stuck")
    wait_for(lambda: (folder / "pid").is_file(), 120, "the stage runs")
    return run


def release(services: Prefect) -> None:
    (services.project / "data" / "stuck" / "go").touch()


def promoted(services: Prefect, run: str) -> None:
    state = services.ended(run, 600)
    assert state["name"] == "Promoted", state["message"]


def stages(services: Prefect) -> int:
    return len(processes_in(services.project, ["stage.py"]))


def test_applying_again_changes_nothing(services: Prefect) -> None:
    before = len(services.post("automations/filter", {}))
    services.call("python", "-m", "hdm", "deployments", "apply")
    assert len(services.post("automations/filter", {})) == before == 8
    assert len(services.post("deployments/filter", {})) == 13


def test_drift_of_a_line_retrains_it(services: Prefect, worker: Any) -> None:
    assert services.ended(services.request("hdm-monitor/good"))["name"] == "Completed"

    def retraining() -> Any:
        return services.post("flow_runs/filter", {"flows": {"name": {"any_": ["hdm-retrain"]}}})

    [run] = wait_for(retraining, 60, "the automation starts a run")
    assert run["parameters"] == {"product_line": "good"}
    promoted(services, run["id"])


def test_second_request_ends_at_once_and_the_first_is_cancelled_without_a_trace(
        services: Prefect, worker: Any) -> None:
    first = begin(services)
    second = services.ended(services.request("hdm-retrain/stuck"))
    assert (second["type"], second["name"]) == ("CANCELLED", "Already running")
    done = calls(services.project)
    services.call("prefect", "flow-run", "cancel", first)
    assert services.ended(first)["type"] == "CANCELLED"
    wait_for(lambda: not stages(services), 30, "the stage is stopped")
    assert calls(services.project) == done


def test_worker_is_killed_and_the_run_goes_on_unheard(services: Prefect, worker: Any) -> None:
    run = begin(services)
    worker.kill()
    worker.wait()
    release(services)
    promoted(services, run)
    assert not stages(services)


def test_worker_is_drained(services: Prefect, worker: Any) -> None:
    run = begin(services)
    worker.send_signal(signal.SIGTERM)
    later = services.request("hdm-retrain/good")
    time.sleep(5)
    assert worker.poll() is None and stages(services) == 1
    release(services)
    promoted(services, run)
    assert worker.wait(60) == 0
    assert services.state(later)["name"] in ("Scheduled", "Late")
    services.call("prefect", "flow-run", "cancel", later)


def die(services: Prefect, worker: Any) -> None:
    """The worker and the run die together, as with their machine; the stage is left."""
    kill(worker)
    for process in processes_in(services.project, ["flows.start"]):
        process.kill()


def test_machine_dies_and_a_run_that_is_asked_for_goes_on(services: Prefect, worker: Any) -> None:
    services.call("python", "-c", "from hdm.orchestration import prefect_recovery as recovery; "
                  f"recovery.put(recovery.watch({SILENCE}))")
    lost = begin(services)
    die(services, worker)
    assert stages(services) == 1  # nobody was left to stop it
    assert services.state(lost)["name"] == "Running"
    services.worker()
    found = begin(services)
    assert stages(services) == 1
    wait_for(lambda: services.state(lost)["name"] == "AwaitingRetry", SILENCE + 60,
             "the run is given up")
    assert services.state(lost)["message"].startswith(f"No sign of life for {SILENCE} seconds")
    assert services.state(found)["name"] == "Running"
    release(services)
    promoted(services, found)
    promoted(services, lost)


def test_machine_dies_and_another_worker_takes_all_lines_up(
        services: Prefect, worker: Any) -> None:
    services.call("python", "-c", "from hdm.orchestration import prefect_recovery as recovery; "
                  f"recovery.put(recovery.watch({SILENCE}))")
    lines = services.project / "pipelines.yaml"
    every, stuck = lines.read_text(), services.project / "data" / "stuck"
    keep_lines(services.project, "good", "stuck")
    for name in ("pid", "go"):
        (stuck / name).unlink(missing_ok=True)
    run = services.request("hdm-retrain/all")
    wait_for((stuck / "pid").is_file, 600, "the second line runs")
    (stuck / "pid").unlink()
    die(services, worker)
    services.worker()
    wait_for((stuck / "pid").is_file, 600, "the run is taken up")
    release(services)
    state = services.ended(run, 600)
    assert state["message"] == "good Promoted, stuck Promoted"
    assert services.get(f"flow_runs/{run}")["run_count"] == 2
    begun = services.post("flow_runs/filter", {
        "flow_runs": {"parent_flow_run_id": {"any_": [run]}}})
    assert sorted((one["parameters"]["product_line"], one["state"]["name"]) for one in begun) == [
        ("good", "Promoted"), ("good", "Promoted"), ("stuck", "Crashed"), ("stuck", "Promoted")]
    lines.write_text(every)


def test_server_is_restarted_under_a_run(services: Prefect, worker: Any) -> None:
    run = begin(services)
    kill(services.started[0], signal.SIGTERM)
    time.sleep(5)
    services.started[0] = services.server()
    release(services)
    promoted(services, run)


def test_run_that_ends_while_the_server_is_away_loses_nothing(
        services: Prefect, worker: Any) -> None:
    run = begin(services)
    kill(services.started[0], signal.SIGTERM)
    release(services)
    wait_for(lambda: not stages(services), 30, "the stage ends")
    time.sleep(10)
    services.started[0] = services.server()
    state = services.ended(run, SILENCE + 120)
    assert state["name"] in ("Promoted", "Crashed"), state
    if not processes_in(services.project, ["prefect worker"]):
        services.worker()
    again = services.ended(services.request("hdm-retrain/stuck"), 600)
    if again["name"] == "Already running":  # the first one's process lives, and took it back
        promoted(services, run)
    else:
        assert again["name"] == "Promoted", again
