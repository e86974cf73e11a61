"""`python -m flows.serve`: every deployment served by this one process, for a demonstration.

It needs a Prefect server and no worker. When it stops it pauses the deployments; for production
use `prefect deploy` with a worker.
"""

import os
from pathlib import Path
from typing import Any

from prefect import Flow, serve
from prefect.events import DeploymentEventTrigger
from prefect.schedules import Cron

from hdm.line import find_project
from hdm.orchestration.prefect_yaml import ENTRYPOINTS, Deployment, deployments


def served(deployment: Deployment, project: Path) -> Any:
    """The deployment as `prefect.serve` takes it; the same as in prefect.yaml."""
    schedule, trigger = deployment.schedule, deployment.trigger
    # With its source stated it also works where `prefect deploy` made the deployment before.
    flow: Any = Flow.from_source(source=str(project), entrypoint=ENTRYPOINTS[deployment.flow])
    return flow.to_deployment(
        name=deployment.name, description=deployment.description, tags=list(deployment.tags),
        parameters={"product_line": deployment.name},
        schedules=[Cron(schedule.cron, timezone=schedule.timezone, active=schedule.active)]
        if schedule else None,
        triggers=[DeploymentEventTrigger.model_validate(trigger)] if trigger else None)


def main(project: Path | None = None) -> None:
    """Serve until interrupted; one run at a time."""
    folder = project or find_project()
    os.chdir(folder)
    serve(*(served(deployment, folder) for deployment in deployments(folder)), limit=1,
          query_seconds=2)


if __name__ == "__main__":
    main()
