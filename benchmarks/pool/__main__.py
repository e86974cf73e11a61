"""`python -m benchmarks.pool`: kill a worker during each of the eight stages in turn.
`python -m benchmarks.pool --lines 100`: so many lines through one pool with two workers; with
`--minutes 150` it begins none after that and stops, and `--go-on` does the rest another day.

Results are written as they come, to results/kills.json and results/lines-<N>.json and as Markdown.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from hdm.config import STAGES

from . import many_lines, worker_kills
from .two_checkouts import pool

RESULTS = Path(__file__).parent / "results"
KILLS = f"""Killed during each stage

Made by `python -m benchmarks.pool`: a worker and all that it started are ended with kill -9 while a
line is at the stage; the other worker has a checkout and a DVC cache of its own. Files are those of
the registered version, by their SHA-256, against those of a line that was not disturbed, without
{' and '.join(worker_kills.OWN)}, which name the run; a line's own name counts as no difference."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=0, help="lines at once, nobody killed")
    parser.add_argument("--preset", default="", help="of params.yaml, for --lines: instant")
    parser.add_argument("--minutes", type=float, default=360, help="the longest, for --lines")
    parser.add_argument("--go-on", action="store_true", help="with what --folder has")
    parser.add_argument("--stages", nargs="*", default=list(STAGES), choices=STAGES)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hdm-pool"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    chosen.output.mkdir(parents=True, exist_ok=True)
    return _lines(chosen) if chosen.lines else _kills(chosen)


def _kills(chosen: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    with pool(chosen.folder, worker_kills.lines(), {"seed": 3}) as made:
        wanted = worker_kills.unbroken(made)
        _say("unbroken run ended")
        for stage in chosen.stages:
            rows.append(worker_kills.killed(made, stage, wanted, _say))
            _say(json.dumps(rows[-1]))
            _write(chosen.output / "kills", rows, KILLS, rows)
    return int(not all(row["as unbroken"] for row in rows))


def _lines(chosen: argparse.Namespace) -> int:
    names = [f"line-{number:03}" for number in range(1, chosen.lines + 1)]
    file = chosen.output / f"lines-{chosen.lines}"
    title = f"{chosen.lines} lines through two workers"
    overrides: dict[str, Any] = {"seed": 3}
    if chosen.preset:  # a thread a line: two lines share two cores
        overrides |= {"preset": chosen.preset, "compute": {"threads": 1}}

    def note(told: dict[str, Any]) -> None:
        _say(json.dumps(told))
        _write(file, told, title, [{"what": key, "found": json.dumps(value)}
                                   for key, value in told.items()])

    before = float(json.loads(file.with_suffix(".json").read_text())["wall s"]) \
        if chosen.go_on else 0.0
    with pool(chosen.folder, names, overrides, real=bool(chosen.preset),
              there=chosen.go_on) as made:
        told = many_lines.through_the_pool(made, note, before, 60 * chosen.minutes)
        note(told)
        if told["ended"] < chosen.lines:
            return 1
        told |= many_lines.second_time(made)
        note(told)
    return int(bool(told["begun twice"]) or told["versions afterwards"] != {"1": chosen.lines})


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


def _write(file: Path, content: Any, title: str, rows: list[dict[str, Any]]) -> None:
    file.with_suffix(".json").write_text(json.dumps(content, indent=2) + "\n")
    columns = list(rows[0])
    table = [f"# {title}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|",
             *(f"| {' | '.join(_cell(row[column]) for column in columns)} |" for row in rows)]
    file.with_suffix(".md").write_text("\n".join(table) + "\n")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.exit(main())
