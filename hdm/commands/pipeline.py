"""Commands that run the pipeline or show what it made."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hdm.line import Line

LineName = Annotated[str, typer.Argument(metavar="LINE", help="A product line of pipelines.yaml.")]


def stage(
    stage: Annotated[str, typer.Argument(
        metavar="STAGE", help="samples, configure, ingest, validate, ..., registry, register.")],
    line: LineName,
) -> None:
    """Run one stage of one line by itself, as DVC does it."""
    from hdm.stages import run_stage

    run_stage(stage, line)


def run(
    line: LineName,
    start: Annotated[str, typer.Option("--from", metavar="STAGE", help=(
        "Take the stages before this one as they are."))] = "",
    force: Annotated[bool, typer.Option("--force", help=(
        "Run stages whose inputs did not change, too."))] = False,
) -> None:
    """Bring a whole line up to date, from its images to the registry, and show the result."""
    from hdm.commands import child
    from hdm.commands.lockfile import keep_whole
    from hdm.config import STAGES
    from hdm.errors import ConfigError, HDMError
    from hdm.line import Line

    chosen = Line.load(line)
    if start and start not in STAGES:
        raise ConfigError(f"no stage {start!r}; expected one of: {', '.join(STAGES)}.")
    keep_whole(chosen.project)
    what = ["--downstream", f"{start}@{line}"] if start else [f"register@{line}"]
    command = child.dvc("repro", *(["--force"] if force else []), *what)
    with child.running(command, chosen.project) as process:
        code = process.wait()
    if code:
        raise HDMError(f"{line} did not get through; the reason is printed above, and the results "
                       "of its last good run are as they were.")
    _print_table([chosen])


def results() -> None:
    """Show the last result of every line and how to look at the runs."""
    from hdm.config import load_pipelines
    from hdm.line import Line, find_project

    project = find_project()
    _print_table([Line.load(name, project) for name in load_pipelines(project).lines])
    for title, command in viewers():
        print(f"{title:<8} {command}")


def report(
    line: LineName,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Open the line's last evaluation report; its path is printed in any case."""
    import webbrowser

    from hdm.commands.summary import report_file
    from hdm.errors import HDMError
    from hdm.line import Line

    file = report_file(Line.load(line))
    if not file.is_file():
        raise HDMError(f"{line} has no report yet; make it with `hdm run {line}`.")
    print(file)
    if browser:
        webbrowser.open(file.as_uri())


def viewers() -> list[tuple[str, str]]:
    """The commands that open MLflow and Prefect, as they can be typed in this folder."""
    import os
    import sys
    from pathlib import Path

    programs, here = Path(sys.executable).parent, Path.cwd()
    at = f"{programs.relative_to(here)}/" if programs.is_relative_to(here) else ""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    mlflow = f"open {address}" if address.startswith("http") else \
        f"{at}mlflow ui --backend-store-uri {address or 'sqlite:///mlflow.db'} --workers 1"
    return [("MLflow:", mlflow), ("Prefect:", f"{at}prefect server start")]


def _print_table(lines: "list[Line]") -> None:
    from rich.console import Console
    from rich.table import Table

    from hdm.commands.summary import NOTHING, Summary

    table = Table("line", "image AUROC", "pixel AUROC", "threshold", "model version", "decision")
    for line in lines:
        found = Summary.load(line)
        table.add_row(line.name, found.show("image_auroc"), found.show("pixel_auroc"),
                      found.show("threshold"), found.version or NOTHING,
                      found.decision or NOTHING)
    # Narrow or absent terminals must not cut the numbers.
    console = Console()
    Console(width=max(console.width, 90)).print(table)
