"""prefect.yaml, made from pipelines.yaml: for each product line a retraining and a look for drift.

prefect.yaml has no loops, so it is written by `hdm deployments write` and kept true by
`hdm deployments check`.
"""

import difflib
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hdm.config import load_pipelines
from hdm.errors import ConfigError
from hdm.files import write_text
from hdm.line import Line
from hdm.pipelines import Schedule

RETRAIN, MONITOR = "hdm-retrain", "hdm-monitor"
ENTRYPOINTS = {RETRAIN: "flows/retrain.py:hdm_retrain", MONITOR: "flows/monitor.py:hdm_monitor"}
POOL = "hdm-pool"
WORKER = "hdm"
"""The type of pool and workers: see hdm/orchestration/prefect_worker.py."""
ALL = "all"
FILE = "prefect.yaml"
HERE = "."
"""The folder of whoever reads it: of the worker, and of the run that it starts."""
DRIFT_EVENT = "hdm.drift.detected"
HEARTBEAT = 30
"""Seconds between the signs of life of a run: see hdm/orchestration/prefect_recovery.py."""
CLIENT = {"PREFECT_CLIENT_MAX_RETRIES": "7", "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500"}
"""Prefect's client asks a server that went away again after 2, 4, 8, ... seconds: four minutes in
all, less than the silence after which a run counts as crashed. 500 is what a server answers whose
database is away."""
HEADER = """\
# Written from pipelines.yaml by `hdm deployments write`: change that file, not this one.
# Bring the server up to date with it: hdm deployments apply
# Run one line: prefect deployment run hdm-retrain/<line>
"""


@dataclass(frozen=True)
class Deployment:
    """One deployment of a flow: `<flow>/<name>`."""

    flow: str
    name: str
    description: str
    tags: tuple[str, ...]
    schedule: Schedule | None = None
    on_drift: bool = False

    @property
    def trigger(self) -> dict[str, Any]:
        """The automation that runs it when its line has drifted; empty if there is none."""
        if not self.on_drift:
            return {}
        return {"type": "event", "enabled": True, "name": f"retrain {self.name} on drift",
                "match": {"prefect.resource.id": resource(self.name)}, "expect": [DRIFT_EVENT],
                "parameters": {"product_line": self.name}}


def resource(line: str) -> str:
    """The line's name in Prefect's events."""
    return f"hdm.line.{line}"


def deployments(project: Path) -> list[Deployment]:
    """Retraining of each line in the order of pipelines.yaml, of all, then the looks for drift.

    Raises ConfigError.
    """
    lines = [Line.load(name, project) for name in load_pipelines(project).lines]
    if any(line.name == ALL for line in lines):
        raise ConfigError(f"pipelines.yaml: a line cannot be named {ALL!r}, which means every line "
                          "in `prefect deployment run hdm-retrain/all`; rename it.")
    tags = {line.name: ("hdm", f"line:{line.name}", *line.entry.tags) for line in lines}
    return [
        *(Deployment(RETRAIN, line.name, line.entry.description or f"Retrain {line.name}.",
                     tags[line.name], line.entry.schedule, line.params.monitor.retrain)
          for line in lines),
        Deployment(RETRAIN, ALL, "Retrain every product line.", ("hdm",)),
        *(Deployment(MONITOR, line.name, f"Look for drift of {line.name}.", tags[line.name],
                     line.entry.monitor_schedule) for line in lines)]


def document(project: Path) -> str:
    """The text that prefect.yaml must have."""
    content = {
        "name": "hdm",
        # A run happens in the checkout that its worker was started in, whichever that is.
        "pull": [{"prefect.deployments.steps.set_working_directory": {"directory": HERE}}],
        "deployments": [_entry(deployment) for deployment in deployments(project)],
    }
    yaml, text = YAML(), StringIO()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(content, text)
    return HEADER + text.getvalue()


def write(project: Path) -> bool:
    """Write prefect.yaml; returns whether it changed."""
    if not difference(project):
        return False
    write_text(project / FILE, document(project))
    return True


def difference(project: Path) -> str:
    """A unified diff from prefect.yaml as it is to what it must be; empty if they agree."""
    file = project / FILE
    present = file.read_text(encoding="utf-8") if file.is_file() else ""
    lines = difflib.unified_diff(present.splitlines(True), document(project).splitlines(True),
                                 f"{FILE} as it is", f"{FILE} as pipelines.yaml wants it")
    return "".join(lines)


def check(project: Path) -> None:
    """Raise ConfigError if the file in the project is not the one that its lines want."""
    if difference(project):
        raise ConfigError("prefect.yaml is not what pipelines.yaml wants; "
                          "run `hdm deployments write`.")


def _entry(deployment: Deployment) -> dict[str, Any]:
    # No `concurrency_limit`: Prefect stops a run that has one when the server was away for a while.
    # flows/one_run.py sees to it that a line has one run at a time.
    entry: dict[str, Any] = {
        "name": deployment.name,
        "description": deployment.description,
        "entrypoint": ENTRYPOINTS[deployment.flow],
        "parameters": {"product_line": deployment.name},
        "tags": list(deployment.tags),
        "work_pool": {"name": POOL, "job_variables": {
            "command": "python -m flows.start", "working_dir": HERE,
            "env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT), **CLIENT}}},
    }
    if deployment.schedule:
        entry["schedules"] = [deployment.schedule.model_dump()]
    if deployment.trigger:
        entry["triggers"] = [deployment.trigger]
    return entry
