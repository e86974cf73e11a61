"""`prefect worker start --type hdm`: Prefect's process worker, which waits for the server.

Prefect's own asks for a minute, and not at all where only the server's database is away, and looks
up each run with a new client, which gives up at its first refusal: a server that is restarted just
then ends the run as Crashed. Prefect finds this worker by the entry point in pyproject.toml; it is
asked for by its type.
"""

from typing import Any, Self

import anyio
from prefect import settings
from prefect.client.schemas.objects import FlowRun
from prefect.settings import temporary_settings
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from hdm.orchestration.prefect_wait import wait_for_server
from hdm.orchestration.prefect_yaml import CLIENT, WORKER


class PatientWorker(ProcessWorker):
    """Starts each run as a process of this machine, once the server answers."""

    type = WORKER
    _description = "Run flows as processes of this machine, also where the server was away."
    _display_name = "HDM"

    async def __aenter__(self) -> Self:
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

    async def run(self, flow_run: FlowRun, configuration: ProcessJobConfiguration,
                  task_status: anyio.abc.TaskStatus[int] | None = None) -> ProcessWorkerResult:
        """As Prefect's; a server that stays away is said in Prefect's own way."""
        await anyio.to_thread.run_sync(wait_for_server)
        return await super().run(flow_run, configuration, task_status)
