"""What judging a picture costs: `hdm.HDM.predict` beside nearest neighbours and DRAEM.

    python -m benchmarks.speed --sets mvtec_screw,mtd

All judge the same pictures of the test split, from decoded pixels to score and map, one and eight
at a time, in turns, so that a loaded machine is loaded for all. Speed does not follow from what
networks learned: they are trained for a few steps, at the preset's sizes. Nearest neighbours know
24 images here, and are slower on a line that has more. The server is measured by
`python -m benchmarks.serving`.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.quality.flop import counted
from benchmarks.quality.presets import PROJECT
from benchmarks.speed.judges import NAMES, judges
from hdm.dataset.images import read_image
from hdm.errors import HDMError
from hdm.files import write_json, write_text

Judge = Callable[[list[np.ndarray]], object]
AT_ONCE = (1, 8)
PICTURES = 16
RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None) -> int:
    """Measure and write speed.json and speed.md; returns 1 on bad input."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=lambda text: text.split(","),
                        default=["mvtec_screw", "mtd"], metavar="A,B")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=RESULTS)
    choice = parser.parse_args(arguments)
    try:
        rows = [row for name in choice.sets for row in of_set(
            choice.data / name, choice.preset, choice.threads, choice.rounds)]
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    content = {"preset": choice.preset, "threads": choice.threads, "rounds": choice.rounds,
               "load": os.getloadavg()[0], "rows": rows}
    write_json(choice.out / "speed.json", content)
    write_text(choice.out / "speed.md", table(content))
    print(table(content))
    return 0


def of_set(folder: Path, preset: str, threads: int, rounds: int) -> list[dict[str, Any]]:
    """A row a method."""
    with tempfile.TemporaryDirectory() as scratch:
        test, made, encoder_flop = judges(folder, preset, threads, Path(scratch))
        pictures = [read_image(file) for file in test[:PICTURES]]
        seconds = in_turns(made, pictures, rounds)
        rows = []
        for name in NAMES:
            with torch.no_grad():
                flop = counted(lambda own=made[name]: own(pictures[:1]))[1]  # type: ignore[misc]
            rows.append({
                "set": folder.name, "method": name, "pictures": len(pictures),
                "flop": flop + (encoder_flop(pictures[0]) if name != "draem" else 0.0),
                **{f"per_second_{n}": 1 / seconds[name][n] for n in AT_ONCE},
                "ratio": seconds["patchcore"][1] / seconds[name][1]})
    return rows


def in_turns(made: dict[str, Judge], pictures: list[np.ndarray], rounds: int
             ) -> dict[str, dict[int, float]]:
    """Median seconds a picture, by method and number at a time."""
    taken: dict[str, dict[int, list[float]]] = {name: {n: [] for n in AT_ONCE} for name in made}
    for own in made.values():
        own(pictures[:max(AT_ONCE)])  # graphs are compiled and caches filled
    for _ in range(rounds):
        for at_once in AT_ONCE:
            for name, own in made.items():
                start = perf_counter()
                for place in range(0, len(pictures), at_once):
                    own(pictures[place:place + at_once])
                taken[name][at_once].append((perf_counter() - start) / len(pictures))
    return {name: {n: median(values) for n, values in by.items()} for name, by in taken.items()}


def table(content: dict[str, Any]) -> str:
    """All figures as Markdown."""
    lines = [f"Preset `{content['preset']}`, {content['threads']} threads, median of "
             f"{content['rounds']} rounds in turns; load of the machine {content['load']:.1f}.", "",
             "| set | method | pictures/s, one at a time | eight | speed by PatchCore's | "
             "GFLOP a picture |", "|---|---|--:|--:|--:|--:|"]
    lines += [f"| {row['set']} | {row['method']} | {row['per_second_1']:.1f} | "
              f"{row['per_second_8']:.1f} | {row['ratio']:.2f} | {row['flop'] / 1e9:.1f} |"
              for row in content["rows"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
