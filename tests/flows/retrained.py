"""Runs of the flow, and what they leave."""

from pathlib import Path
from typing import Any

from flows.retrain import hdm_retrain


def ending(line: str) -> Any:
    return hdm_retrain(product_line=line, return_state=True)


def artifacts() -> dict[str, Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.read_artifacts() if hasattr(client, "read_artifacts") else \
            [type("A", (), a) for a in client._client.post("/artifacts/filter", json={}).json()]
    return {artifact.key: artifact.data for artifact in found}


def keep_lines(project: Path, *names: str) -> None:
    lines = "".join(f"  {name}:\n    source: {{path: raw/{name}}}\n" for name in names)
    (project / "pipelines.yaml").write_text(f"lines:\n{lines}sample_lines: []\n")
