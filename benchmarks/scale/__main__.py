"""`python -m benchmarks.scale --pictures 100,1000,10000 --stages ingest,validate`

Generates lines of so many pictures of 64 px, runs each stage of the pipeline in a child process as
DVC does, and writes results/scale.json and results/scale.md: seconds, memory of each process, and
the power of the number of pictures with which they grow. Figures that are there already of other
numbers or stages stay. Stages not named are run where a named one needs them, and not shown.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.scale.added_pictures import added_study
from benchmarks.scale.drawn_source import draw_source
from benchmarks.scale.growth import a_picture, exponents
from benchmarks.scale.watched_run import SOURCES, hdm_stage, watched
from hdm.files import write_json, write_text

RESULTS = Path(__file__).parent / "results"
LINE = "scale"
STAGES = ("ingest", "validate", "dagm_fit", "dagm_synthesize", "pom_filter", "ddm_train",
          "evaluate", "register")
DVC_COMMIT = [sys.executable, "-m", "dvc", "commit", "--quiet", "--force",
              *(f"{stage}@{LINE}" for stage in ("configure", *STAGES[:-1]))]


def main(arguments: list[str] | None = None) -> int:
    """Measure and write both files."""
    choice = _parser().parse_args(arguments)
    if choice.added is not None:
        return _added(choice)
    file = choice.out / "scale.json"
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"stages": {}}
    content |= {"cores": os.cpu_count(), "preset": choice.preset}
    for count in choice.pictures:
        with tempfile.TemporaryDirectory(prefix="hdm-scale-", dir=choice.folder) as scratch:
            for stage, found in measure(Path(scratch), count, choice.stages, choice.preset):
                content["stages"].setdefault(stage, {})[str(count)] = found
                write_json(file, content)
                write_text(choice.out / "scale.md", table(content))
    print(table(content))
    return 0


def measure(folder: Path, count: int, stages: list[str], preset: str) -> Any:
    """Yields each of `stages` with what it costs for `count` pictures; uses `folder`."""
    project = _configured(folder, count, preset)
    for stage in _upto(stages):
        found = _cost(stage, project, folder / "log")
        print(f"{stage} {count}: {found}", flush=True)
        if stage in stages:
            yield stage, found


def _added(choice: argparse.Namespace) -> int:
    [count] = choice.pictures[-1:]
    with tempfile.TemporaryDirectory(prefix="hdm-scale-", dir=choice.folder) as scratch:
        folder = Path(scratch)
        project = _configured(folder, count, choice.preset)
        added_study(choice.out, count, choice.added, _upto(choice.stages),
                    lambda stage: _cost(stage, project, folder / "log"), folder / "source")
    return 0


def _configured(folder: Path, count: int, preset: str) -> Path:
    draw_source(folder / "source", count)
    project = project_in(folder / "project", folder / "source", preset)
    subprocess.run(hdm_stage("configure", LINE), cwd=project, check=True,
                   env={**os.environ, "PYTHONPATH": str(SOURCES)})
    return project


def _upto(stages: list[str]) -> list[str]:
    """All stages up to the last of these."""
    return list(STAGES[:max(STAGES.index(stage) for stage in stages) + 1])


def _cost(stage: str, project: Path, log: Path) -> dict[str, float]:
    try:
        if stage == "register":  # which asks dvc.lock what the stages before have made
            watched(hdm_stage("store_probe", LINE), project, log)
            watched(DVC_COMMIT, project, log)
        found = watched(hdm_stage(stage, LINE), project, log)
    except subprocess.CalledProcessError:
        sys.exit(f"error: the stage {stage} failed: "
                 + log.read_text(encoding="utf-8", errors="replace")[-2000:])
    return {name: round(value, 2) for name, value in found._asdict().items()}


def project_in(folder: Path, source: Path, preset: str) -> Path:
    """A project of one line."""
    (folder / "data").mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml", "data/dvc.yaml", ".dvcignore"):
        shutil.copy(SOURCES / name, folder / name)
    shutil.copytree(SOURCES / "hdm", folder / "hdm",
                    ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("test_sets", "feedback", "regions"):
        (folder / name).mkdir()
    write_text(folder / "pipelines.yaml", f"lines:\n  {LINE}:\n    source: {{path: {source}, "
               f"format: folder}}\n    overrides: {{preset: {preset}}}\n")
    for tool in (["git"], [sys.executable, "-m", "dvc"]):
        subprocess.run([*tool, "init", "-q"], cwd=folder, check=True)
    return folder


def table(content: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [["stage", "pictures", "by the clock", "processor time", "exponent", "a picture",
              "memory", "of a helper", "memory a picture"],
             ["---", *["--:"] * 8]]
    for stage in (name for name in STAGES if name in content["stages"]):
        rows = {int(count): row for count, row in content["stages"][stage].items()}
        power = exponents({count: row["cpu"] for count, row in rows.items()})
        for count in sorted(rows):
            row, upto = rows[count], [other for other in rows if other <= count]
            more = a_picture({other: rows[other]["cpu"] for other in upto})
            room = a_picture({other: rows[other]["memory"] for other in upto})
            lines.append([
                f"`{stage}`", f"{count:,}", f"{row['wall']:.0f} s", f"{row['cpu']:.0f} s",
                f"{power[count]:.2f}" if count in power else "",
                f"{1000 * more:.2f} ms" if more is not None else "", f"{row['memory']:.0f} MiB",
                f"{row['others']:.0f} MiB" if row["others"] else "",
                f"{1024 * room:.2f} KiB" if room is not None else ""])
    return "\n".join([
        "# Cost by the number of pictures", "", "Made by `python -m benchmarks.scale`: generated "
        f"pictures of 64 px, 2 % of them defective, preset `{content['preset']}`, "
        f"{content['cores']} cores. Processor time is of all processes of a stage; memory is the "
        "most that one process had at once. The exponent is that of the growth since the number "
        "above, less what the smallest number costs; a picture costs the difference to the number "
        "above.", "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=_numbers, default=[100, 1000, 10000],
                        help="numbers of pictures, with commas")
    parser.add_argument("--stages", type=_stages, default=["ingest", "validate"],
                        help=f"of {', '.join(STAGES)}; with commas, or `all`")
    parser.add_argument("--added", type=float, metavar="PERCENT", help="run the stages of the last "
                        "number of pictures three times instead: first, again, and with so many "
                        "more; writes results/added.json and added.md")
    parser.add_argument("--preset", default="instant", help="of params.yaml")
    parser.add_argument("--folder", type=Path, help="where pictures are drawn (4 KiB each) and "
                        "removed afterwards; by default where temporary files are")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _stages(text: str) -> list[str]:
    names = list(STAGES) if text == "all" else text.split(",")
    if unknown := set(names) - set(STAGES):
        raise argparse.ArgumentTypeError(f"no stage {', '.join(sorted(unknown))}; expected some "
                                         f"of {', '.join(STAGES)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
