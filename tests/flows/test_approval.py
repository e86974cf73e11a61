"""The pause for a person's word, on a real Prefect server."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.flow_runs import resume_flow_run

from flows import approval
from hdm.errors import HDMError
from hdm.files import write_json
from hdm.line import Line
from hdm.registry.history import receipt_file

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def held(project: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A line whose version 7 waits for a word."""
    line = Line.load("good", project)
    write_json(receipt_file(line), {"version": "7", "outcome": "hold", "reasons": [
        {"code": "needs_approval", "sentence": "A person must approve it."}]})
    monkeypatch.setattr(approval, "deployed", lambda: True)
    monkeypatch.setattr(approval, "POLL", 1)
    return line


@pytest.fixture
def promotions(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would be run."""
    said: list[list[str]] = []

    @contextmanager
    def running(command: list[str], folder: Path, **_: Any) -> Any:
        said.append(command[3:])
        code = int("broken" in command[-1])
        yield subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])

    monkeypatch.setattr(approval.child_process, "running", running)
    return said


def answered(line: Line, **answer: Any) -> Any:
    """The state of a flow that asks, after a person has filled in the form."""

    @flow(name=f"asks-{time.monotonic_ns()}")
    def asks() -> bool:
        return approval.ask(line)

    ended: list[Any] = []
    thread = threading.Thread(target=lambda: ended.append(asks(return_state=True)))
    thread.start()
    with get_client(sync_client=True) as client:
        deadline = time.monotonic() + 60
        while not (paused := client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(
                {"state": {"type": {"any_": ["PAUSED"]}}}))):
            assert time.monotonic() < deadline and thread.is_alive()
            time.sleep(0.2)
    resume_flow_run(paused[0].id, run_input=answer)
    thread.join(60)
    return ended[0]


def test_yes_promotes_with_the_name_and_the_reason(held: Line, promotions: list) -> None:
    state = answered(held, approve=True, name="Ada", why="tried on line 2")
    assert state.result() is True
    assert promotions == [["promote", "good", "7", "--why", "tried on line 2 (Ada)"]]


def test_no_leaves_it_held(held: Line, promotions: list) -> None:
    assert answered(held, approve=False).result() is False
    assert promotions == []


def test_a_promotion_that_fails_is_told(held: Line, promotions: list) -> None:
    state = answered(held, approve=True, why="broken")
    assert state.is_failed()
    with pytest.raises(HDMError, match="`hdm promote good 7` tries again"):
        state.result()


def test_whether_a_person_is_asked(held: Line, project: Path) -> None:
    assert approval.asked(held)
    write_json(receipt_file(held), {"version": "7", "reasons": [{"code": "no_champion"}]})
    assert not approval.asked(held)
    assert not approval.asked(Line.load("crashing", project))
