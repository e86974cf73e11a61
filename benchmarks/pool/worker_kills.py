"""A worker and its run are killed during a stage; the other worker ends what it began."""

import time
from collections.abc import Callable
from typing import Any

from services import ENDED, wait_for

from hdm.config import STAGES

from .two_checkouts import Pool

LIMIT = 1200.0
UNBROKEN = "unbroken"
OWN = ("MLmodel", "sbom.cdx.json")
"""Files of a version that name its run or its time: they differ from run to run."""

Row = dict[str, Any]


def lines() -> list[str]:
    """One line that nothing happens to, and one for each stage."""
    return [UNBROKEN, *map(name, STAGES)]


def name(stage: str) -> str:
    """The line whose worker is killed during the stage."""
    return f"killed-{stage.replace('_', '-')}"


def unbroken(pool: Pool) -> Row:
    """What a run makes that nobody disturbs."""
    state = pool.desk.ended(pool.desk.request(f"hdm-retrain/{UNBROKEN}"), LIMIT)
    assert state["name"] == "Promoted", state
    return _made(pool, UNBROKEN)


def killed(pool: Pool, stage: str, wanted: Row, say: Callable[[str], None]) -> Row:
    """Kill the worker that has reached `stage` of a line, and see what becomes of it."""
    line = name(stage)
    run = pool.desk.request(f"hdm-retrain/{line}")
    victim = _reached(pool, line, stage)
    time.sleep(0.3)
    pool.kill(victim)
    began = time.monotonic()
    say(f"{stage}: killed worker {victim}")
    wait_for(lambda: pool.flow_run(run)["state_type"] != "RUNNING", 300, "the run is given up")
    wait_for(lambda: pool.flow_run(run)["state_type"] in ("RUNNING", *ENDED), 300,
             "the run is taken up")
    taken = time.monotonic() - began
    state = pool.desk.ended(run, LIMIT)
    made = _made(pool, line)
    row = {"stage": stage, "killed": victim, "ended by": made["checkout"],
           "ending": state["name"], "begun": pool.flow_run(run)["run_count"],
           "taken up after s": round(taken), "ended after s": round(time.monotonic() - began),
           "versions": made["versions"],
           "files that differ": sorted(path for path, digest in made["sums"].items()
                                       if path.rsplit("/")[-1] not in OWN
                                       and wanted["sums"].get(path) != digest)}
    row["as unbroken"] = bool(
        row["ending"] == "Promoted" and row["versions"] == 1
        and made["sums"].keys() == wanted["sums"].keys() and not row["files that differ"]
        and row["ended by"] != victim)
    pool.sites[victim].worker()
    return row


def _reached(pool: Pool, line: str, stage: str) -> str:
    """Wait for the stage; the checkout that is at it."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        checkout, present = pool.running(line)
        if present == stage:
            return checkout
        time.sleep(0.05)
    raise AssertionError(f"{line} did not get to {stage}")


def _made(pool: Pool, line: str) -> Row:
    checkout, receipt = pool.receipt(line)
    return {"checkout": checkout, "versions": len(pool.versions(line)),
            "sums": pool.sums(line, str(receipt["version"]))}
