"""The Prefect server brought up to date with pipelines.yaml: pool, deployments, automations."""

import os
import subprocess
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from hdm.errors import HDMError
from hdm.orchestration import child_process, prefect_recovery, prefect_yaml
from hdm.orchestration.prefect_deployments import listed
from hdm.registry.loopback import spare_loopback


def apply(project: Path, lost_after: int = prefect_recovery.SILENCE) -> list[str]:
    """Write prefect.yaml and make the server agree with it; may be repeated at any time.

    lost_after: seconds without a sign of life after which a run is taken up by another worker.
    Returns the deployments of our flows that pipelines.yaml does not have (any more); they are
    left alone, as they may be another project's. Raises HDMError without a server.
    """
    prefect_yaml.write(project)
    address = _address()
    spare_loopback()
    with get_client(sync_client=True) as client:
        if error := client.api_healthcheck():
            raise HDMError(f"expected a Prefect server at {address}, which does not answer "
                           f"({error}); start it with `prefect server start`, or correct "
                           "PREFECT_API_URL.")
        try:
            client.read_work_pool(prefect_yaml.POOL)
        except ObjectNotFound:
            _prefect(project, "work-pool", "create", prefect_yaml.POOL, "--type",
                    prefect_yaml.WORKER)
    _prefect(project, "deploy", "--all", "--prefect-file", prefect_yaml.FILE)
    for automation in prefect_recovery.automations(lost_after):
        prefect_recovery.put(automation)
    wanted = {f"{one.flow}/{one.name}" for one in prefect_yaml.deployments(project)}
    with get_client(sync_client=True) as client:
        there = listed(client)
    ours = {name for name in there if name.split("/")[0] in prefect_yaml.ENTRYPOINTS}
    print(f"{len(wanted)} deployments are on {address}.")
    return sorted(ours - wanted)


def _address() -> str:
    address = PREFECT_API_URL.value()
    if not address:
        raise HDMError("expected the address of a Prefect server in PREFECT_API_URL, found none; "
                       "start one with `prefect server start`, then say "
                       "`export PREFECT_API_URL=http://127.0.0.1:4200/api`.")
    return address


def _prefect(project: Path, *words: str) -> None:
    done = subprocess.run(
        ["prefect", "--no-prompt", *words], cwd=project, text=True, stdin=subprocess.DEVNULL,
        env=child_process.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        last = said[-1] if said else "it said nothing"
        raise HDMError(f"`prefect {' '.join(words)}` failed: {last}; mend it and say "
                       f"`hdm deployments apply` again (folder {os.fspath(project)}).")
