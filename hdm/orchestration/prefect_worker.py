"""`prefect worker start --type hdm`: Prefect's process worker, patient with server and runs.

Prefect's own asks for a minute, and not at all where only the server's database is away, and looks
up each run with a new client, which gives up at its first refusal: a server that is restarted just
then ends the run as Crashed. Told to stop, Prefect's own kills its flows, leaves their stages and
states as they are, and says nothing; this one lets its runs end. Prefect finds this worker by the
entry point in pyproject.toml; it is asked for by its type.
"""

import asyncio
import os
import signal
from typing import Any, Self

import anyio
from prefect import settings
from prefect.client.schemas.objects import FlowRun
from prefect.settings import temporary_settings
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from hdm.orchestration.prefect_wait import wait_for_server
from hdm.orchestration.prefect_yaml import CLIENT, WORKER

STOP = (signal.SIGTERM, signal.SIGINT)


class PatientWorker(ProcessWorker):
    """Starts each run as a process of this machine, once the server answers.

    A first SIGTERM or SIGINT (Ctrl-C) drains it: nothing more begins, and it ends when its runs
    have. A second one ends it at once; its runs go on by themselves.
    """

    type = WORKER
    _description = "Run flows as processes of this machine, also where the server was away."
    _display_name = "HDM"

    _under_way = 0
    _draining = False

    async def __aenter__(self) -> Self:
        for number in STOP:
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        self._patience = temporary_settings(
            {getattr(settings, name): value for name, value in CLIENT.items()})
        self._patience.__enter__()
        await super().__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            self._patience.__exit__(*error)
            for number in STOP:
                asyncio.get_running_loop().remove_signal_handler(number)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """As Prefect's; while the worker is drained nothing, and its end once nothing runs."""
        if not self._draining:
            return await super().get_and_submit_flow_runs()
        if not self._under_way and not self._submitting_flow_run_ids:
            # Ends Prefect's loops and no run: leaving, it waits for what is being reported.
            raise asyncio.CancelledError
        return []

    async def run(self, flow_run: FlowRun, configuration: ProcessJobConfiguration,
                  task_status: anyio.abc.TaskStatus[int] | None = None) -> ProcessWorkerResult:
        """As Prefect's; a server that stays away is said in Prefect's own way."""
        self._under_way += 1
        try:
            await anyio.to_thread.run_sync(wait_for_server)
            return await super().run(flow_run, configuration, task_status)
        finally:
            self._under_way -= 1

    def _stop(self) -> None:
        if self._draining:
            os.kill(os.getpid(), signal.SIGKILL)
        self._draining = True
        self._logger.warning("Nothing more begins here; the worker ends when its %d runs have. "
                             "Told to stop once more, it ends at once, and they go on without it.",
                             self._under_way)
