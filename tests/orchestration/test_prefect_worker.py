"""The worker that waits for a server that is away."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from hdm.orchestration import prefect_worker
from hdm.orchestration.prefect_yaml import POOL, WORKER


def test_prefect_finds_it_by_its_type() -> None:
    from importlib.metadata import entry_points

    [entry] = entry_points(group="prefect.collections", name="hdm")
    entry.load()
    assert BaseWorker.get_worker_class_from_type(WORKER) is prefect_worker.PatientWorker


def test_a_run_is_looked_up_after_the_server_has_answered(
        monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    async def run(*_: Any, **__: Any) -> str:
        order.append("looked up")
        return "done"

    monkeypatch.setattr(prefect_worker, "wait_for_server", lambda: order.append("answered"))
    monkeypatch.setattr(ProcessWorker, "run", run)
    worker = prefect_worker.PatientWorker(POOL)
    assert anyio.run(worker.run, None, None) == "done"
    assert order == ["answered", "looked up"]


@pytest.mark.usefixtures("prefect_server")
def test_it_asks_for_longer_than_a_minute_while_it_works() -> None:
    async def retries() -> int:
        async with prefect_worker.PatientWorker(POOL):
            return int(PREFECT_CLIENT_MAX_RETRIES.value())

    before = PREFECT_CLIENT_MAX_RETRIES.value()
    assert sum(2 ** n for n in range(1, anyio.run(retries) + 1)) > 120
    assert PREFECT_CLIENT_MAX_RETRIES.value() == before


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(("times", "code", "said"), [
    ("once", 0, ["nothing begins", "ends with its last run"]),
    ("twice", -signal.SIGKILL, ["nothing begins"])])
def test_told_to_stop_it_begins_nothing_and_ends_with_its_last_run(
        times: str, code: int, said: list[str]) -> None:
    program = Path(__file__).with_name("stopped_worker.py")
    done = subprocess.run(
        [sys.executable, str(program), times], text=True, capture_output=True, check=False,
        timeout=120, env={**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value())})
    assert (done.returncode, done.stdout.splitlines()) == (code, said), done.stderr
