"""`python -m benchmarks.startup`: processor time that the commands of `hdm` cost in a project.

Runs each command several times in a process of its own and writes results/startup.json and
results/startup.md. What needs a trained line is left out where the project has none.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hdm.config import load_pipelines
from hdm.dataset.images import SUFFIXES
from hdm.files import write_json, write_text
from hdm.line import Line

RESULTS = Path(__file__).parent / "results"
SOURCES = Path(__file__).parents[2]
LINE, PICTURE, OUTPUT = "LINE", "one picture", "OUTPUT"
COMMANDS: list[tuple[tuple[str, ...], float]] = [
    (("--help",), 0.3), (("lines", "list"), 1.5), (("results",), 1.5), (("history", LINE), 1.5),
    (("predict", LINE, PICTURE, "--output", OUTPUT), 4.0)]
"""Arguments of `hdm`, and the processor time that they may cost, in seconds."""


class Cost(NamedTuple):
    """Seconds of one process: user and system time, and by the clock."""

    cpu: float
    wall: float


def main(arguments: list[str] | None = None) -> int:
    """Measure, write both files; returns 1 if a command costs more than it may."""
    choice = _parser().parse_args(arguments)
    project = choice.project.resolve()
    line = trained_line(project)
    with tempfile.TemporaryDirectory() as output:
        words = {LINE: line.name, PICTURE: str(picture_of(line)), OUTPUT: output} if line else {}
        chosen = [(command, limit) for command, limit in COMMANDS if line or LINE not in command]
        bare = median([sys.executable, "-c", "pass"], project, choice.times)
        rows = [row(command, limit, bare, median(
            [sys.executable, "-m", "hdm", *(words.get(word, word) for word in command)], project,
            choice.times)) for command, limit in chosen]
    content = {"times": choice.times, "cores": os.cpu_count(), "python": bare._asdict(),
               "commands": rows}
    write_json(choice.out / "startup.json", content)
    write_text(choice.out / "startup.md", table(content))
    print(table(content))
    return int(any(found["cpu"] > found["limit"] for found in rows))


def trained_line(project: Path) -> Line | None:
    """The first line with a detector and with images; None without one."""
    lines = [Line.load(name, project) for name in load_pipelines(project).lines]
    return next((line for line in lines
                 if (line.detector_folder / "detector.json").is_file() and line.source.is_dir()),
                None)


def picture_of(line: Line) -> Path:
    """The line's first image."""
    return min(path for path in line.source.rglob("*") if path.suffix.lower() in SUFFIXES)


def median(command: Sequence[str], folder: Path, times: int) -> Cost:
    """The medians of `times` runs, after one that warms the disk's cache."""
    costs = [cost(command, folder) for _ in range(times + 1)][1:]
    return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))


def cost(command: Sequence[str], folder: Path) -> Cost:
    """What one run costs; raises CalledProcessError where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)


def row(command: Sequence[str], limit: float, bare: Cost, found: Cost) -> dict[str, Any]:
    """One command as both files have it."""
    shown = [word for word in command if word not in ("--output", OUTPUT)]
    return {"command": " ".join(["hdm", *shown]), "cpu": round(found.cpu, 3),
            "wall": round(found.wall, 3), "ratio": round(found.cpu / bare.cpu, 1), "limit": limit}


def table(content: dict[str, Any]) -> str:
    """The results as Markdown."""
    bare = content["python"]
    lines = [["command", "processor time", "by the clock", "times `python -c pass`", "at most"],
             ["---", *["--:"] * 4],
             ["`python -c pass`", f"{bare['cpu']:.2f} s", f"{bare['wall']:.2f} s", "1", ""],
             *([f"`{found['command']}`", f"{found['cpu']:.2f} s", f"{found['wall']:.2f} s",
                f"{found['ratio']:.0f}", f"{found['limit']:g} s"] for found in content["commands"])]
    return "\n".join([
        "# Start of a command", "", "Made by `python -m benchmarks.startup`: user and system time, "
        f"median of {content['times']} runs, {content['cores']} cores.", "",
        *("| " + " | ".join(line) + " |" for line in lines), ""])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=Path.cwd(), help="folder of pipelines.yaml")
    parser.add_argument("--times", type=int, default=5, help="runs of each command")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
