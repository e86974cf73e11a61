"""Several lines, and several runs of one line, on a real Prefect server."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from retrained import ending, keep_lines
from services import wait_for
from toy import calls

from flows import retrain
from flows.one_run import only_run
from flows.retrain import hdm_retrain

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.mark.usefixtures("short")
def test_all_goes_through_every_line_and_names_the_ones_that_failed(project: Path) -> None:
    keep_lines(project, "bad_data", "good")
    state = ending("all")
    assert state.is_failed()
    assert state.message.startswith("1 of 2 lines failed: bad_data (Rejected data: validate@")
    assert calls(project)[-1] == "register@good"


@pytest.mark.usefixtures("short")
def test_all_completes_when_every_line_does(project: Path) -> None:
    keep_lines(project, "good")
    assert hdm_retrain() == {"good": "Promoted"}


@pytest.mark.usefixtures("short")
def test_second_run_of_a_line_is_cancelled_at_once_and_does_nothing(project: Path) -> None:
    with only_run("retrain", "good", project):
        state = ending("good")
        assert (state.is_cancelled(), state.name) == (True, "Already running")
        assert "Another retrain of good is under way" in state.message
        assert calls(project) == []
        keep_lines(project, "good", "held_back")
        assert hdm_retrain() == {"good": "Already running", "held_back": "Held"}
    assert ending("good").name == "Promoted"


@pytest.mark.usefixtures("short")
def test_requests_that_waited_for_a_worker_are_joined_into_one_run(project: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Scheduled

    with get_client(sync_client=True) as client:
        def request(line: str, hours: float) -> Any:
            at = datetime.now(UTC) + timedelta(hours=hours)
            return client.create_flow_run(hdm_retrain, parameters={"product_line": line},
                                          state=Scheduled(scheduled_time=at)).id
        waiting = [request("good", -0.1), request("good", -2)]
        others = [request("good", 1), request("held_back", -1)]
        assert ending("good").name == "Promoted"
        assert [client.read_flow_run(run).state_name for run in waiting] == ["Joined"] * 2
        assert {client.read_flow_run(run).state_name for run in others} == {"Scheduled"}


def test_lines_side_by_side(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrain, "STAGES", ("ingest", "register"))
    keep_lines(project, "good", "stuck")
    (project / "pipelines.yaml").open("a").write("parallel: 2\n")
    stuck = project / "data" / "stuck"

    def release() -> None:
        wait_for(lambda: "register@good" in calls(project), 60, "the other line goes on")
        # The line that waits may only be starting, and then has no folder yet.
        wait_for((stuck / "pid").is_file, 60, "the line that waits begins")
        (stuck / "go").touch()

    helper = threading.Thread(target=release)
    helper.start()
    assert hdm_retrain() == {"good": "Promoted", "stuck": "Promoted"}
    helper.join()
