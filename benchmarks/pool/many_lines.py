"""Many lines at once through two workers: does each end, and once, and how long does it take?"""

import subprocess
import time
from collections.abc import Callable
from typing import Any

from services import ENDED

from .two_checkouts import NAMES, Pool

LIMIT = 6 * 3600.0
LOOK = 15.0
UNDER_WAY = ("PENDING", "RUNNING", "CANCELLING")


def through_the_pool(pool: Pool, say: Callable[[dict[str, Any]], None], before: float,
                     limit: float) -> dict[str, Any]:
    """Ask for all lines at once and wait for them; `say` gets what is known, again and again.

    limit: seconds after which the pool begins no more lines, so that it can be stopped and the rest
    done another day. before: seconds that earlier days took, 0 where there were none; what they
    asked for is not asked for again.
    """
    began = time.monotonic()
    if not before:
        for line in pool.lines:
            pool.desk.request(f"hdm-retrain/{line}")
    pool.pause(False)
    found: dict[str, dict[str, Any]] = {}
    while time.monotonic() - began < LIMIT:
        runs = pool.runs()
        for run in runs:
            line = run["parameters"]["product_line"]
            if run["state_type"] in ENDED and line not in found:
                found[line] = {"ending": run["state_name"], "s": round(run["total_run_time"], 1),
                               "begun": run["run_count"]}
                say(_summary(pool, found, before + time.monotonic() - began))
        late = time.monotonic() - began > limit
        if late:
            pool.pause(True)
        if len(found) == len(runs) or (
                late and not any(run["state_type"] in UNDER_WAY for run in runs)):
            break
        time.sleep(LOOK)
    return _summary(pool, found, before + time.monotonic() - began, count=True)


def _summary(pool: Pool, found: dict[str, dict[str, Any]], seconds: float, *, count: bool = False
             ) -> dict[str, Any]:
    alone = sum(run["s"] for run in found.values())
    told: dict[str, Any] = {
        "lines": len(pool.lines), "ended": len(found), "wall s": round(seconds),
        "sum of runs s": round(alone), "share of sum": round(seconds / alone, 2) if alone else None,
        "endings": _counts([run["ending"] for run in found.values()]),
        "begun twice": sorted(line for line, run in found.items() if run["begun"] != 1)}
    if count:
        told["versions"] = _counts([len(pool.versions(line)) for line in pool.lines])
        told["in both checkouts"] = sum(
            all((site.project / "data" / line / "register").is_dir()
                for site in pool.sites.values()) for line in pool.lines)
    return told


def second_time(pool: Pool) -> dict[str, Any]:
    """Fetch into the first checkout what the second made, then time DVC there."""
    site = pool.sites[NAMES[0]]

    def timed(*words: str) -> tuple[float, str]:
        began = time.monotonic()
        done = subprocess.run(words, cwd=site.project, env=site.environment, text=True,
                              capture_output=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return round(time.monotonic() - began, 1), done.stdout

    fetched = 0.0
    for line in pool.lines:
        if not (site.project / "data" / line / "register").is_dir():
            seconds, said = timed("python", "-m", "hdm", "run", line)
            assert "made elsewhere" in said, said
            fetched += seconds
    versions = _counts([len(pool.versions(line)) for line in pool.lines])
    status, said = timed("dvc", "status")
    again, output = timed("dvc", "repro")
    return {"fetching the other half s": round(fetched), "versions afterwards": versions,
            "dvc status s": status, "second dvc repro s": again,
            "stages run again": sorted({row.split("'")[1].split("@")[0]
                                        for row in output.splitlines()
                                        if row.startswith("Running stage")}),
            "status lines": len(said.splitlines())}


def _counts(values: list[Any]) -> dict[str, int]:
    return {str(value): values.count(value) for value in sorted(set(values), key=str)}
