"""Which process has a line, told to all machines: a variable of Prefect's server.

A variable's name is there once, so of two that make it at the same moment one is refused, and it
outlives a restart of the server, which the leases of Prefect's concurrency limits do not. It says
which run of which process it is; one whose run is over, or whose process on this machine is gone,
holds nothing.

A process that was cut off from the server may be given up meanwhile, and its run sent to another
worker. So each looks again and again: a run of its own that only waits to be taken up it takes
back, and who is sent to take it up asks first and leaves it to a process that answers. If another
has the line already, it stops without a word, as that one speaks for the run now.
"""

import os
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from hashlib import sha256
from pathlib import Path
from socket import gethostname
from typing import Any

import psutil
from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import VariableCreate
from prefect.client.schemas.objects import Variable
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)
from prefect.states import Running

from flows import outage
from hdm.orchestration import child_process
from hdm.orchestration.run_progress import is_alive

Claim = dict[str, Any]
TRIES = 5
LOOK = 15.0
"""Seconds between two looks of a process at its claim."""
PATIENCE = 2 * LOOK + 5
"""Seconds in which a process that lives has answered."""
ASKED = ["asked"]


@contextmanager
def claimed(what: str, line: str, project: Path) -> Iterator[Claim | None]:
    """Have the line while the block runs; yields None, or the claim of who has it.

    Without a flow run, or where the server does not answer for minutes, nothing is claimed: then
    no other machine can have begun either.
    """
    run = FlowRunContext.get()
    if run is None or run.flow_run is None:
        yield None
        return
    name, mine = _name(what, line), _claim(run, project)
    others: list[Claim] = []

    def take() -> None:
        others[:] = _take(name, mine)

    outage.tell("asking for the line", take)
    if others:
        yield others[0]
        return
    over = threading.Event()
    watch = threading.Thread(target=copy_context().run, args=(_watch, name, mine, over, line),
                             daemon=True)
    watch.start()
    try:
        yield None
    finally:
        over.set()
        watch.join()
        with suppress(Exception), get_client(sync_client=True) as client:
            _release(client, name, mine)


def _name(what: str, line: str) -> str:
    """As Prefect takes it: lower case; a line of another spelling has another name."""
    plain = re.sub(r"[^a-z0-9-]", "-", line.lower())
    mark = "" if plain == line else f"-{sha256(line.encode()).hexdigest()[:8]}"
    return f"hdm-{what}-{plain}{mark}"


def _claim(run: FlowRunContext, project: Path) -> Claim:
    """request: the flow run that was asked for, which for a line of `all` is that of `all`."""
    assert run.flow_run is not None
    mine = str(run.flow_run.id)
    return {"run": mine, "request": os.environ.get("PREFECT__FLOW_RUN_ID") or mine,
            "checkout": str(project), **_claim_of_process()}


def _claim_of_process() -> Claim:
    process = psutil.Process()
    return {"machine": gethostname(), "hardware": f"{uuid.getnode():x}", "process": process.pid,
            "started": process.create_time()}


def _take(name: str, mine: Claim) -> list[Claim]:
    """Nothing where the claim is ours now, else the one that stands."""
    with get_client(sync_client=True) as client:
        for _ in range(TRIES):
            there = client.read_variable_by_name(name)
            if there is None:
                with suppress(ObjectAlreadyExists):
                    client.create_variable(VariableCreate(name=name, value=mine))
            elif there.value == mine:
                return []
            elif _holds(client, there, mine):
                return [_read(there)]
            else:
                _delete(client, there)
    raise RuntimeError(f"the variable {name} is made and deleted again and again")


def _holds(client: SyncPrefectClient, there: Variable, mine: Claim) -> bool:
    """Whether that claim keeps us from the line. Does not return where its process is to go on
    with the run that we were sent to take up."""
    value = _read(there)
    here = all(value.get(key) == mine[key] for key in ("machine", "hardware"))
    alive = here and is_alive(int(value["process"]), float(value["started"]))
    if not value or (here and not alive):
        return False
    if value["request"] == mine["request"]:
        if alive or _answers(client, there):
            _leave()
        return False
    try:
        state = client.read_flow_run(uuid.UUID(value["run"])).state
    except ObjectNotFound:
        return False
    return state is None or not state.is_final()


def _answers(client: SyncPrefectClient, there: Variable) -> bool:
    """Whether the process on another machine that has the claim lives: it takes our mark off."""
    _mark(client, there, ASKED)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(1)
        now = client.read_variable_by_name(there.name)
        if now is None or now.value != there.value:
            return False
        if not now.tags:
            return True
    return False


def _mark(client: SyncPrefectClient, there: Variable, tags: list[str]) -> None:
    client.request("PATCH", f"/variables/{there.id}", json={"tags": tags})  # type: ignore[arg-type]


def _read(variable: Variable) -> Claim:
    return variable.value if isinstance(variable.value, dict) else {}


def _delete(client: SyncPrefectClient, variable: Variable) -> None:
    """This one, not one that was made under its name since; who is too late changes nothing."""
    with suppress(ObjectNotFound):
        client.request("DELETE", f"/variables/{variable.id}")  # type: ignore[arg-type]


def _release(client: SyncPrefectClient, name: str, mine: Claim) -> None:
    there = client.read_variable_by_name(name)
    if there and there.value == mine:
        _delete(client, there)


def _watch(name: str, mine: Claim, over: threading.Event, line: str) -> None:
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: 10}):
        while not over.wait(LOOK):
            with suppress(Exception):  # no server: asked again
                _look(name, mine, over, line)


def _look(name: str, mine: Claim, over: threading.Event, line: str) -> None:
    run = uuid.UUID(mine["run"])
    with get_client(sync_client=True) as client:
        there = client.read_variable_by_name(name)
        state = client.read_flow_run(run).state
        if over.is_set() or there is None or state is None:
            return
        if there.value != mine:
            with suppress(Exception):
                get_run_logger().warning(
                    "This process could not be reached, and %s has %s now: this process stops.",
                    _read(there).get("machine"), line)
            _leave()
        if there.tags:
            _mark(client, there, [])
        if state.is_crashed() or state.is_scheduled() or state.is_pending():
            client.set_flow_run_state(run, Running(message="Its process lives and goes on."),
                                      force=True)


def _leave() -> None:
    """End at once and say nothing of the run, neither to the server nor to the worker."""
    child_process.stop_all()
    os._exit(0)
