"""One run of a line at a time, and no queue behind it.

A request that a worker takes while a run of the same line is under way, in whichever checkout of
whichever machine, ends at once as `Already running`. Requests that waited because no worker was
free are joined into one run. Both are cancelled states, and deployments, `all` and plain calls are
treated alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from filelock import FileLock, Timeout

from flows.line_claim import claimed
from hdm.registry.ledger import lock_folder

JOINED = "Joined"


class AlreadyRunning(Exception):
    """The same is being done by another run; `str()` says so in one sentence."""

    state: ClassVar[str] = "Already running"


@contextmanager
def only_run(what: str, line: str, project: Path) -> Iterator[None]:
    """Do the block unless another run does `what` ('retrain') of `line` ('all') at this moment.

    Raises AlreadyRunning without waiting. Other machines are told by the Prefect server
    (flows/line_claim.py). In this checkout a lock of the operating system counts as well, which
    ends with the process that holds it, also for runs that do not share a server.
    """
    lock = FileLock(lock_folder(project) / f"{what}-{line}.lock")
    with claimed(what, line, project) as other:
        if other:
            raise _already(what, line, f" on {other['machine']}")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise _already(what, line) from None
        try:
            yield
        finally:
            lock.release()


def _already(what: str, line: str, where: str = "") -> AlreadyRunning:
    return AlreadyRunning(f"Another {what} of {line} is under way{where}; nothing was done. What "
                          "has come in since it began is taken up by the next run.")


def join_waiting(line: str) -> int:
    """End the requests for `line` of this flow that wait to be run: the present run serves them.

    Returns how many there were. Only requests whose time has come; a schedule's next run stays.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
    from prefect.client.schemas.objects import StateType
    from prefect.context import FlowRunContext
    from prefect.states import Cancelled

    present = FlowRunContext.get()
    if present is None or present.flow_run is None:
        return 0
    flow_id: UUID = present.flow_run.flow_id
    with get_client(sync_client=True) as client:
        waiting = client.read_flow_runs(
            flow_filter=FlowFilter.model_validate({"id": {"any_": [flow_id]}}),
            flow_run_filter=FlowRunFilter.model_validate({
                "state": {"type": {"any_": [StateType.SCHEDULED]}},
                "next_scheduled_start_time": {"before_": datetime.now(UTC)}}))
        same = [run for run in waiting
                if run.parameters.get("product_line") == line and run.id != present.flow_run.id]
        for run in same:
            client.set_flow_run_state(run.id, Cancelled(
                name=JOINED, message=f"Joined with run {present.flow_run.id} of {line}, which "
                "began after this was asked for."))
    return len(same)
