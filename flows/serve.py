"""`python -m flows.serve`: every deployment served by this one process, for a demonstration.

It needs a Prefect server and no worker. When it stops it pauses the deployments; for production
use `prefect deploy` with a worker.
"""

import os
from pathlib import Path
from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron

from flows.deployments import ENTRYPOINT, Deployment, deployments
from flows.retrain import hdm_retrain
from hdm.config import load_pipelines
from hdm.line import find_project


def served(deployment: Deployment, project: Path) -> Any:
    """The deployment as `prefect.serve` takes it; the same as in prefect.yaml."""
    schedule = deployment.schedule
    # With its source stated it also works where `prefect deploy` made the deployment before.
    flow: Any = hdm_retrain.from_source(source=str(project), entrypoint=ENTRYPOINT)
    return flow.to_deployment(
        name=deployment.name, description=deployment.description, tags=list(deployment.tags),
        parameters={"product_line": deployment.name},
        schedules=[Cron(schedule.cron, timezone=schedule.timezone, active=schedule.active)]
        if schedule else None,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE))


def main(project: Path | None = None) -> None:
    """Serve until interrupted; one run at a time."""
    folder = project or find_project()
    os.chdir(folder)
    chosen = [served(deployment, folder) for deployment in deployments(load_pipelines(folder))]
    serve(*chosen, limit=1, query_seconds=2)


if __name__ == "__main__":
    main()
