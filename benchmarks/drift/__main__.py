"""`python -m benchmarks.drift`: false alarms and detection delays of the drift monitor.

Simulates whole lives of monitors that look after every image, and writes results/drift.json and
results/drift.md. Two cores need about ten minutes.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.drift.simulation import COST, Case, Drift, first_alarm, life
from hdm.files import write_json, write_text
from hdm.settings import Monitor

RESULTS = Path(__file__).parent / "results"
STATED = Monitor().false_alarm_rate
AFTER = 1_000
"""Good images before a drift that begins late."""
HORIZON = 2_000
"""Images within which a drift is to be found."""

UNDRIFTED = [
    *((Case(normals=normals), rate) for rate in (STATED, 0.1) for normals in (40, 100, 200)),
    (Case(stated=False), 0.1),
    (Case(rule=COST), 0.1),
]
DRIFTS = [
    *(("brightness shifts at once", Drift("brightness", shift=size)) for size in (0.5, 1.0, 2.0)),
    *(("brightness shifts slowly, over 1,000 images", Drift("brightness", shift=size, ramp=1_000))
      for size in (1.0, 2.0, 4.0)),
    *(("blur: sharpness falls", Drift("sharpness", shift=-size)) for size in (0.5, 1.0, 2.0)),
    *(("unsteady focus: sharpness spreads by a factor", Drift("sharpness", spread=size))
      for size in (1.5, 2.0, 3.0)),
    *(("scores rise", Drift("score", shift=size)) for size in (0.5, 1.0, 2.0)),
]


def main(arguments: list[str] | None = None) -> int:
    """Simulate, write both files; returns 1 if a false-alarm rate is above the stated one."""
    choice = _parser().parse_args(arguments)
    with Pool(choice.processes) as pool:
        quiet = [false_alarms(case, rate, choice.monitors, pool.map) for case, rate in UNDRIFTED]
        found = [delays(name, drift, choice.drifted, pool.map)
                 for name, drift in both_starts(DRIFTS)]
    content = {"false_alarms": quiet, "delays": found}
    write_json(choice.out / "drift.json", content)
    write_text(choice.out / "drift.md", tables(content))
    print(tables(content))
    # Above it beyond what chance gives: the lower end of the interval.
    return int(any(row["low"] > row["stated"] for row in quiet))


def false_alarms(case: Case, rate: float, monitors: int, mapped: Callable[..., Any] = map
                 ) -> dict[str, Any]:
    """Share of undrifted lines that ever raised an alarm, with its 95 % interval."""
    alarms = sum(when is not None for when in
                 mapped(partial(_alarm, case, None, rate), range(monitors)))
    interval = binomtest(alarms, monitors).proportion_ci(0.95)
    return {"normals": case.normals, "images": case.images, "stated": rate,
            "defect_rate": case.defects, "defect_rate_stated": case.stated,
            "threshold": "rate" if case.rule.costs is None else "cost", "monitors": monitors,
            "alarms": alarms, "share": alarms / monitors, "low": float(interval.low),
            "high": float(interval.high)}


def delays(name: str, drift: Drift, monitors: int, mapped: Callable[..., Any] = map
           ) -> dict[str, Any]:
    """Images from the beginning of the drift to the alarm; an alarm before it is a false one."""
    case = Case(images=drift.begin + HORIZON)
    alarms = list(mapped(partial(_alarm, case, drift, STATED), range(monitors)))
    early = sum(when is not None and when <= drift.begin for when in alarms)
    waits = [np.inf if when is None else when - drift.begin for when in alarms
             if when is None or when > drift.begin]
    median, late = (float(np.quantile(waits, share, method="inverted_cdf"))
                    for share in (0.5, 0.9))
    return {"drift": name, **asdict(drift), "normals": case.normals, "monitors": monitors,
            "early": early, "found": float(np.isfinite(waits).mean()),
            "median": median if np.isfinite(median) else None,
            "ninety": late if np.isfinite(late) else None}


def both_starts(drifts: Sequence[tuple[str, Drift]]) -> list[tuple[str, Drift]]:
    """Each drift from the first image on, and after AFTER good ones."""
    return [(name, replace(drift, begin=begin)) for name, drift in drifts for begin in (0, AFTER)]


def tables(content: dict[str, Any]) -> str:
    """Both tables as Markdown."""
    quiet = [[f"{row['stated']:.0%}", str(row["normals"]), row["threshold"],
              f"{row['defect_rate']:.0%}, {'' if row['defect_rate_stated'] else 'not '}stated",
              f"{row['monitors']:,} × {row['images']:,}",
              f"{row['share']:.2%} ({row['low']:.2%} to {row['high']:.2%})"]
             for row in content["false_alarms"]]
    found = [[row["drift"], _size(row), f"{row['begin']:,}", f"{row['found']:.0%}",
              _images(row["median"]), _images(row["ninety"])] for row in content["delays"]]
    return "\n".join([
        "# Drift monitor", "", "Made by `python -m benchmarks.drift`.", "",
        "## False alarms: nothing changes, one look after every image", "",
        _table(["stated", "calibration normals", "threshold by", "defective parts",
                "monitors × images", "ever raised an alarm (95 %)"], quiet), "",
        f"## Images until the alarm: 100 calibration normals, {STATED:.0%} stated, "
        f"{HORIZON:,} images after the change", "",
        _table(["drift", "size in deviations", "good images before", "found", "median", "90 %"],
               found), ""])


def _alarm(case: Case, drift: Drift | None, rate: float, seed: int) -> int | None:
    return first_alarm(life(case, drift, rate, seed))


def _size(row: dict[str, Any]) -> str:
    return f"× {row['spread']:g}" if row["spread"] != 1 else f"{row['shift']:+g}"


def _images(count: float | None) -> str:
    return f"> {HORIZON:,}" if count is None else f"{count:,.0f}"


def _table(header: list[str], body: list[list[str]]) -> str:
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--monitors", type=int, default=1_000, help="undrifted lines a case")
    parser.add_argument("--drifted", type=int, default=200, help="lines a kind of drift")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
