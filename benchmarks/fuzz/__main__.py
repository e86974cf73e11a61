"""`python -m benchmarks.fuzz`: damaged and hostile input before all that reads from outside.

Each kind has sound inputs made by code; input n is one of them, damaged as n says, so that a run
can be repeated and each finding tried again. Nothing but a sentence (HDMError, or a status below
500) may become of an input. Decoders run with the limits of a worker process. Writes fuzz.json and
fuzz.md; returns 1 if there are findings.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fuzz.http_targets import HTTP_TARGETS
from benchmarks.fuzz.mutation import mutated
from benchmarks.fuzz.reading_targets import TARGETS
from benchmarks.fuzz.trial import Outcome, tried
from hdm.files import write_json, write_text

RESULTS = Path(__file__).parent / "results"
KINDS = TARGETS | HTTP_TARGETS


def main(arguments: list[str] | None = None) -> int:
    """Try and write."""
    choice = _parser().parse_args(arguments)
    if choice.show is not None:
        sys.stdout.buffer.write(mutated(KINDS[choice.only[0]][1]().seeds, choice.show))
        return 0
    whole = sum(number for number, _ in KINDS.values())
    found: dict[str, Outcome] = {}
    begun = time.monotonic()
    for kind in choice.only or KINDS:
        number = -(-KINDS[kind][0] * choice.inputs // whole)
        with tempfile.TemporaryDirectory(prefix="hdm-fuzz-") as folder:
            found[kind] = tried(KINDS[kind][1], number, Path(folder))
        print(f"{kind}: {found[kind].inputs} inputs, {dict(found[kind].counts)}", flush=True)
    write_json(choice.out / "fuzz.json", {
        "seconds": round(time.monotonic() - begun),
        "kinds": {kind: {"inputs": one.inputs, "counts": dict(one.counts), "slowest": one.slowest,
                         "memory": one.memory, "findings": one.findings}
                  for kind, one in found.items()}})
    write_text(choice.out / "fuzz.md", _table(found))
    return int(any(one.findings for one in found.values()))


def _table(found: dict[str, Outcome]) -> str:
    """Markdown: a row a kind, then the findings."""
    rows = ["| kind | inputs | read | refused | ended by a limit | findings | slowest, s | "
            "MiB more |",
            "|---|--:|--:|--:|--:|--:|--:|--:|"]
    rows += [f"| {kind} | {one.inputs:,} | {one.counts['read']:,} | {one.counts['refused']:,} | "
             f"{one.counts['ended']} | {one.counts['finding']} | {one.slowest:.2f} | "
             f"{one.memory / 2**20:.0f} |" for kind, one in found.items()]
    rows += [f"| all | {sum(one.inputs for one in found.values()):,} | | | | "
             f"{sum(one.counts['finding'] for one in found.values())} | | |", ""]
    rows += [f"* {kind}: {what} ({len(numbers)} inputs, first {numbers[0]})"
             for kind, one in found.items() for what, numbers in one.findings.items()]
    return "\n".join(rows) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz",
                                     description="Damaged input before all readers.")
    parser.add_argument("--inputs", type=int, default=110_000, help="of all kinds together")
    parser.add_argument("--only", nargs="+", choices=list(KINDS), metavar="KIND")
    parser.add_argument("--show", type=int, metavar="N", help="write input N of --only KIND")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
