"""A line has one run across machines: who has it is told by a variable of the server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import VariableCreate
from prefect.context import FlowRunContext
from prefect.states import Completed, Running, Scheduled
from services import wait_for

from flows import line_claim
from flows.one_run import AlreadyRunning, only_run

pytestmark = pytest.mark.usefixtures("prefect_server")
NAME = "hdm-retrain-plate"
FOREIGN = {"machine": "elsewhere", "hardware": "0", "process": 1, "started": 0.0, "checkout": "/x"}


@flow
def other() -> None:
    """Whose run has the line."""


@pytest.fixture(autouse=True)
def free() -> Iterator[None]:
    yield
    if variable():
        with get_client(sync_client=True) as client:
            client.delete_variable_by_name(NAME)


def variable() -> Any:
    with get_client(sync_client=True) as client:
        return client.read_variable_by_name(NAME)


def claim(value: dict[str, Any], state: Any) -> dict[str, Any]:
    """The line is claimed by a run in that state."""
    with get_client(sync_client=True) as client:
        run = str(client.create_flow_run(other, state=state).id)
        full = {**FOREIGN, "run": run, "request": run, **value}
        client.create_variable(VariableCreate(name=NAME, value=full))
    return full


def inside(project: Path, act: Callable[[], Any] = lambda: None) -> Any:
    """Do something while this run has the line; what was done."""
    @flow
    def ours() -> Any:
        with only_run("retrain", "plate", project):
            return [variable().value, act()]
    return ours()


def test_a_line_is_claimed_while_it_runs_and_free_afterwards(tmp_path: Path) -> None:
    [value, _] = inside(tmp_path)
    assert value["checkout"] == str(tmp_path)
    assert variable() is None


def test_a_run_on_another_machine_keeps_the_line(tmp_path: Path) -> None:
    there = claim({}, Running())
    with pytest.raises(AlreadyRunning, match="under way on elsewhere; nothing was done"):
        inside(tmp_path)
    assert variable().value == there


def test_a_run_that_is_over_or_whose_process_is_gone_does_not(tmp_path: Path) -> None:
    claim({}, Completed())
    assert inside(tmp_path)
    here = {key: line_claim._claim_of_process()[key] for key in ("machine", "hardware")}
    claim({**here, "process": 1}, Running())  # that number has another process by now
    assert inside(tmp_path)


def sent_to_take_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """This run, whose earlier process elsewhere has the line."""
    monkeypatch.setattr(line_claim, "PATIENCE", 3)

    @flow
    def ours() -> Any:
        run = FlowRunContext.get()
        assert run and run.flow_run
        claim({"request": str(run.flow_run.id)}, Running())
        with only_run("retrain", "plate", project):
            return variable().value
    return ours()


def test_an_earlier_process_of_the_run_is_asked_and_silent(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_to_take_up(tmp_path, monkeypatch)["checkout"] == str(tmp_path)


def test_an_earlier_process_of_the_run_that_answers_goes_on(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Left(Exception):
        pass

    def leave() -> None:
        raise Left
    mark = line_claim._mark

    def answered(client: Any, there: Any, tags: list[str]) -> None:
        mark(client, there, tags)
        mark(client, there, [])
    monkeypatch.setattr(line_claim, "_leave", leave)
    monkeypatch.setattr(line_claim, "_mark", answered)
    monkeypatch.setattr(line_claim.outage, "tell", lambda _, call: call())
    with pytest.raises(Left):
        sent_to_take_up(tmp_path, monkeypatch)
    assert variable().value["machine"] == "elsewhere"


def test_a_run_that_was_given_up_while_it_lives_is_taken_back(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_claim, "LOOK", 0.5)

    def given_up() -> str:
        run = FlowRunContext.get()
        assert run and run.flow_run
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(run.flow_run.id, Scheduled(name="AwaitingRetry"), force=True)
            there = client.read_variable_by_name(NAME)
            assert there
            line_claim._mark(client, there, line_claim.ASKED)
            wait_for(lambda: client.read_flow_run(run.flow_run.id).state_name == "Running", 20,
                     "the run is taken back")
            wait_for(lambda: not variable().tags, 20, "the process answers")
        return "went on"

    assert inside(tmp_path, given_up)[1] == "went on"


def test_a_process_whose_line_another_has_stops(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[bool] = []
    monkeypatch.setattr(line_claim, "LOOK", 0.5)
    monkeypatch.setattr(line_claim, "_leave", lambda: left.append(True))

    def lost() -> None:
        with get_client(sync_client=True) as client:
            client.delete_variable_by_name(NAME)
        claim({}, Running())
        wait_for(lambda: left, 20, "it stops")

    inside(tmp_path, lost)
    assert variable().value["machine"] == "elsewhere"
