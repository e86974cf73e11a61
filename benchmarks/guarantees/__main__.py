"""`python -m benchmarks.guarantees`: does what is said of false alarms hold?

Simulates lines in their thousands with the code that judges, and writes results/guarantees.json and
results/guarantees.md. Some minutes a simulation on one core; `--only` runs one of them.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.guarantees import cheapest, join_rates, stated_rates, year_of_looks
from hdm.files import read_json, write_json, write_text

RESULTS = Path(__file__).parent / "results"
SIMULATIONS = {"stated": stated_rates, "cost": cheapest, "joined": join_rates,
               "monitor": year_of_looks}
"""Each has a TITLE and `simulate(runs)`, a row a figure (`simulated_parts.row`)."""


def main(arguments: list[str] | None = None) -> int:
    """Simulate, write both files; returns 1 if anything does not hold what is said."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guarantees", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000, help="simulated lines a case")
    parser.add_argument("--only", choices=SIMULATIONS, action="append")
    parser.add_argument("--out", type=Path, default=RESULTS)
    choice = parser.parse_args(arguments)
    file = choice.out / "guarantees.json"
    content: dict[str, list[dict[str, Any]]] = read_json(file) if file.is_file() else {}
    for name, simulation in SIMULATIONS.items():
        if not choice.only or name in choice.only:
            content[name] = simulation.simulate(choice.runs)
            write_json(file, content)
            print(table(simulation.TITLE, content[name]), flush=True)
    write_text(file.with_suffix(".md"), "\n".join(
        ["# What is said of false alarms, and what is true", "",
         "Made by `python -m benchmarks.guarantees`.", "",
         *(table(simulation.TITLE, content[name]) for name, simulation in SIMULATIONS.items()
           if name in content)]))
    return int(any(row["holds"] is False for rows in content.values() for row in rows))


def table(title: str, rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    head = ["| case | figure | said | true (95 % interval) | lines | holds |",
            "| --- | --- | --: | --: | --: | --- |"]
    body = [f"| {row['case']} | {row['figure']} | {row['said']:.3f} | {row['true']:.3f} "
            f"({row['low']:.3f} to {row['high']:.3f}) | {row['runs']:,} | "
            f"{ {True: 'yes', False: 'NO', None: ''}[row['holds']]} |" for row in rows]
    return "\n".join([f"## {title}", "", *head, *body, ""])


if __name__ == "__main__":
    sys.exit(main())
