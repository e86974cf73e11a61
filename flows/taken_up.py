"""A run that another worker takes up, as its own is gone: how often, and what of its lines."""

from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from flows import outage

TIMES = 3
LOST = {"state": {"type": {"any_": [StateType.RUNNING, StateType.PENDING, StateType.PAUSED]}}}


class GivenUp(Exception):
    """A run was lost again and again; `str()` says so in one sentence."""


def check_times_taken_up(line: str) -> None:
    """Raise GivenUp where this run was taken up TIMES times and lost each time."""
    run = FlowRunContext.get()
    if run is None or run.flow_run is None or run.flow_run.run_count <= 1 + TIMES:
        return
    flow = run.flow.name if run.flow else "hdm-retrain"
    raise GivenUp(f"The run of {line} was begun {TIMES + 1} times, and each time its worker or its "
                  "machine was lost. Look whether the machines have memory enough for it, then ask "
                  f"for it anew: `prefect deployment run {flow}/{line}`.")


def end_lost_lines() -> None:
    """Say of the lines of `all` whose process is gone that they have crashed: they would be shown
    as running for ever, and Prefect would give them to other lines of this attempt."""
    run = FlowRunContext.get()
    if run is None or run.flow_run is None or run.flow_run.run_count <= 1:
        return
    parent = str(run.flow_run.id)
    outage.tell("what became of its lines", lambda: _crash_children(parent))


def _crash_children(parent: str) -> None:
    with get_client(sync_client=True) as client:
        for lost in _children(client, parent):
            client.set_flow_run_state(lost, Crashed(
                message="Its worker or its machine was gone; its line is taken up."), force=True)
            get_run_logger().info("Run %s was lost; its line is taken up.", lost)


def _children(client: SyncPrefectClient, parent: str) -> list[UUID]:
    found = client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(
        {"parent_flow_run_id": {"any_": [parent]}, **LOST}))
    return [child.id for child in found]
