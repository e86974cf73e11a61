"""Prefect: whether a server is named and ready, knows this project's lines, and has a worker."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx

from hdm.doctor.finding import Finding
from hdm.orchestration import prefect_yaml
from hdm.orchestration.prefect_deployments import listed

PATIENCE = 10.0
APPLY = "say `hdm deployments apply`."


def look(project: Path) -> Iterator[Finding]:
    """Findings about the server in PREFECT_API_URL; one note where none is named."""
    address = os.environ.get("PREFECT_API_URL", "").rstrip("/")
    if not address:
        yield Finding("Prefect", "note", "PREFECT_API_URL is not set: runs are started by hand. "
                      "For schedules start `prefect server start` and name it there.")
        return
    try:
        with httpx.Client(base_url=address, timeout=PATIENCE) as client:
            yield from _asked(client, address, project)
    except (httpx.HTTPError, ValueError) as error:
        yield Finding("Prefect", "problem", f"{address} does not answer as a Prefect server "
                      f"({error or type(error).__name__}); start it with `prefect server start`, "
                      "or correct PREFECT_API_URL.")


def _asked(client: httpx.Client, address: str, project: Path) -> Iterator[Finding]:
    ready = client.get("/ready")
    if ready.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        yield Finding("Prefect", "problem", f"{address} cannot reach its database; start that.")
        return
    ready.raise_for_status()
    yield Finding("Prefect", "ok", f"{address} is ready.")
    wanted = {f"{one.flow}/{one.name}" for one in prefect_yaml.deployments(project)}
    missing = sorted(wanted - listed(client))
    yield Finding("deployments", "problem", f"{', '.join(missing)} not on the server; {APPLY}") \
        if missing else Finding("deployments", "ok", f"all {len(wanted)} are on the server.")
    yield _workers(client)


def _workers(client: httpx.Client) -> Finding:
    start = f"`prefect worker start --pool {prefect_yaml.POOL} --type {prefect_yaml.WORKER}`"
    answer = client.post(f"/work_pools/{prefect_yaml.POOL}/workers/filter", json={})
    if answer.status_code == httpx.codes.NOT_FOUND:
        return Finding("workers", "problem", f"there is no pool {prefect_yaml.POOL}; {APPLY}")
    answer.raise_for_status()
    online = [one["name"] for one in answer.json() if one.get("status") == "ONLINE"]
    if not online:
        return Finding("workers", "problem", "no worker is online, so that no run begins; start "
                       f"one with {start}.")
    return Finding("workers", "ok", f"{len(online)} online.")
