"""Runs of the flow, and what they leave."""

from pathlib import Path
from typing import Any

from flows.retrain import hdm_retrain


def ending(line: str) -> Any:
    return hdm_retrain(product_line=line, return_state=True)


def artifacts() -> dict[str, Any]:
    """Key -> what was last shown under it, by whichever run."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return {artifact.key: artifact.data for artifact in client.read_latest_artifacts()}


def keep_lines(project: Path, *names: str) -> None:
    lines = "".join(f"  {name}:\n    source: {{path: raw/{name}}}\n" for name in names)
    (project / "pipelines.yaml").write_text(f"lines:\n{lines}sample_lines: []\n")
