"""`python -m benchmarks.quality`: train and score methods on sets, one process a run.

Rows go to results/<preset>.json after each run, and the tables to results/<preset>.md. Trained
baselines get the time that `hdm` took on the same set, preset and seed, or --budget-seconds. A run
that was stopped goes on when the same is typed again, if code and settings are the same.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.job import commit
from benchmarks.quality.logbook import log_row
from benchmarks.quality.methods.names import COMES_WITH, NAMES, TRAINED_BASELINES
from benchmarks.quality.presets import PRESETS, PROJECT
from benchmarks.quality.results import RESULTS, Row, add_row, find, read_rows
from benchmarks.quality.tables import summary
from hdm.errors import HDMError
from hdm.files import read_json, write_text

SETS = ("mtd", "mvtec_grid", "deeppcb", "elpv_mono", "piped_paper", "mvtec_screw", "kolektorsdd")


@dataclass(frozen=True)
class Job:
    """One run."""

    method: str
    folder: Path
    preset: str
    seed: int

    def __str__(self) -> str:
        return f"{self.method} on {self.folder.name}, {self.preset}, seed {self.seed}"

    def row(self, rows: list[Row], method: str | None = None) -> Row | None:
        """The row of this job, or of another method on the same images, if it is there."""
        return find(rows, method=method or self.method, set=self.folder.name, preset=self.preset,
                    seed=self.seed)


def main(arguments: list[str] | None = None) -> int:
    """Run all jobs; returns 1 if any of them failed. Skipped jobs are named with the reason."""
    choice = _parser().parse_args(arguments)
    file, failed = choice.out / f"{choice.preset}.json", 0
    # HDM first: its time is the budget of the trained baselines on the same images.
    asked = set(choice.methods)
    methods = sorted(dict.fromkeys(COMES_WITH.get(name, name) for name in choice.methods),
                     key=lambda name: name != "hdm")
    jobs = [Job(method, choice.data / name, choice.preset, seed)
            for name in choice.sets for seed in choice.seeds for method in methods]
    try:
        for job in jobs:
            rows = read_rows(file)
            seconds = budget(job, rows, choice.budget_seconds)
            there = all(job.row(rows, name) for name in asked
                        if COMES_WITH.get(name, name) == job.method)
            reason = why_not(job, seconds, choice.skip_existing and there)
            if reason:
                print(f"skipped: {job}: {reason}", flush=True)
                continue
            begun = unfinished(job, choice.out)
            found = measured(job, seconds, choice.threads, begun, light=choice.light)
            failed += not found
            for row in found:
                if row["method"] in asked:
                    _keep(row, file, choice.mlflow)
            if found:
                shutil.rmtree(begun, ignore_errors=True)
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return int(failed > 0)


def _keep(row: Row, file: Path, mlflow: str | None) -> None:
    """Add the row to the results and their tables, say it, and log it where it is asked for."""
    write_text(file.with_suffix(".md"), summary(add_row(file, row), row["preset"]))
    print(f"{row['method']} on {row['set']}, {row['preset']}, seed {row['seed']}: image "
          f"{_short(row['image_auroc'])}, pixel {_short(row['pixel_auroc'])}, "
          f"{row['train_seconds']:.0f} s", flush=True)
    if mlflow:
        log_row(mlflow, row)


def unfinished(job: Job, out: Path) -> Path:
    """The folder of a training that is not done; what other code has begun is not gone on with."""
    code = commit()
    name = f"{job.method}-{job.preset}-{job.folder.name}-{job.seed}-{code}"
    folder = out / "unfinished" / name
    if code == "unknown" or code.endswith("+"):  # the same mark for any other code
        shutil.rmtree(folder, ignore_errors=True)
    return folder


def budget(job: Job, rows: list[Row], otherwise: float | None) -> float | None:
    """Seconds that the job may train for; None if its settings say what it does."""
    if job.method not in TRAINED_BASELINES:
        return None
    whole = job.row(rows, "hdm")
    return float(whole["train_seconds"]) if whole else otherwise


def why_not(job: Job, seconds: float | None, there: bool) -> str:
    """Why the job is not run, among other reasons because its rows are `there`; empty if it is."""
    if not job.folder.is_dir():
        return f"there is no folder {job.folder}; say with --data where the sets lie"
    if there:
        return "its row is there"
    if job.method in TRAINED_BASELINES and seconds is None:
        return "no row of hdm to take its time from; run hdm first or give --budget-seconds"
    return ""


def measured(job: Job, seconds: float | None, threads: int | None, begun: Path, *, light: bool
             ) -> list[Row]:
    """The rows of a job, run in a process of its own, which goes on with what is in `begun`; none
    if it failed (its error was shown)."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "benchmarks.quality.job", "--method", job.method,
                   "--set", str(job.folder.resolve()), "--preset", job.preset,
                   "--seed", str(job.seed), "--rows", str(file),
                   "--unfinished", str(begun.resolve())]
        command += ["--seconds", str(seconds)] if seconds is not None else []
        command += ["--threads", str(threads)] if threads is not None else []
        command += ["--light"] if light else []
        done = subprocess.run(command, cwd=PROJECT, check=False)
        if done.returncode or not file.exists():
            print(f"failed: {job}: exit code {done.returncode}", file=sys.stderr, flush=True)
            return []
        rows: list[Row] = read_json(file)
        return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=_names(NAMES), default=list(NAMES), metavar="A,B")
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(SETS),
                        metavar="A,B")
    parser.add_argument("--preset", choices=PRESETS, default="fast")
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")],
                        default=[0], metavar="0,1")
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--budget-seconds", type=float)
    parser.add_argument("--threads", type=int, help="instead of compute.threads")
    parser.add_argument("--light", action="store_true",
                        help="measure in changed light, too: four more passes over the test images")
    parser.add_argument("--skip-existing", action="store_true")
    parser.add_argument("--mlflow", metavar="URI")
    return parser


def _names(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        unknown = [name for name in text.split(",") if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"no method {unknown[0]!r}; expected some of {', '.join(known)}")
        return text.split(",")

    return parse


def _short(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    sys.exit(main())
