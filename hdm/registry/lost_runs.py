"""MLflow runs of a retrain that was lost with its worker's machine, ended by who takes it up."""

import os
from collections.abc import Mapping
from typing import Any

from hdm.registry.ledger import Link
from hdm.registry.store import Store

FLOW_RUN = "prefect.flow_run_id"
"""Tag: which run of Prefect's an MLflow run belongs to; that run keeps its id when another worker
takes it up."""


def flow_run_tag() -> dict[str, str]:
    """The tag; empty where Prefect did not start this."""
    flow_run = os.environ.get("PREFECT__FLOW_RUN_ID")
    return {FLOW_RUN: flow_run} if flow_run else {}


def end_lost_runs(client: Any, store: Store, links: Mapping[str, Link]) -> list[str]:
    """End as KILLED what this run of Prefect's began in the line's experiment and `links`, this
    checkout's, do not know: a checkout that is gone began it. Returns the ids."""
    tag = flow_run_tag()
    if not tag:
        return []
    mine = {link.run_id for link in links.values()}
    under_way = client.search_runs(
        [store.experiment_id], f"attributes.status = 'RUNNING' and "
        f"tags.`{FLOW_RUN}` = '{tag[FLOW_RUN]}'")
    lost = [run.info.run_id for run in under_way if run.info.run_id not in mine]
    for run_id in lost:
        client.set_terminated(run_id, "KILLED")
    return lost
