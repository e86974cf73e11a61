"""prefect.yaml, made from pipelines.yaml: one deployment a product line, and `all`.

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
from hdm.settings import Pipelines, Schedule

FLOW = "hdm-retrain"
POOL = "hdm-pool"
ALL = "all"
FILE = "prefect.yaml"
ENTRYPOINT = "flows/retrain.py:hdm_retrain"
HEADER = """\
# Written from pipelines.yaml by `hdm deployments write`: change that file, not this one.
# Deploy from the project's folder: prefect --no-prompt deploy --all
# Run one line: prefect deployment run hdm-retrain/<line>
"""


@dataclass(frozen=True)
class Deployment:
    """One deployment of the flow: `hdm-retrain/<name>`."""

    name: str
    description: str
    tags: tuple[str, ...]
    schedule: Schedule | None = None


def deployments(pipelines: Pipelines) -> list[Deployment]:
    """One a line in the order of pipelines.yaml, then `all`; raises ConfigError."""
    if ALL in pipelines.lines:
        raise ConfigError(f"pipelines.yaml: a line cannot be named {ALL!r}, which means every line "
                          "in `prefect deployment run hdm-retrain/all`; rename it.")
    lines = [
        Deployment(name, entry.description or f"Retrain {name}.",
                   ("hdm", f"line:{name}", *entry.tags), entry.schedule)
        for name, entry in pipelines.lines.items()]
    return [*lines, Deployment(ALL, "Retrain every product line, one after the other.", ("hdm",))]


def document(project: Path) -> str:
    """The text that prefect.yaml must have."""
    content = {
        "name": "hdm",
        # The folder that `prefect deploy` was called in, so that no machine's path is stored.
        "pull": [{"prefect.deployments.steps.set_working_directory": {"directory": "{{ $PWD }}"}}],
        "deployments": [_entry(deployment) for deployment in deployments(load_pipelines(project))],
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


def _entry(deployment: Deployment) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": deployment.name,
        "description": deployment.description,
        "entrypoint": ENTRYPOINT,
        "parameters": {"product_line": deployment.name},
        "tags": list(deployment.tags),
        # A second run of a line waits for the first.
        "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
        "work_pool": {"name": POOL},
    }
    if deployment.schedule:
        entry["schedules"] = [deployment.schedule.model_dump()]
    return entry
