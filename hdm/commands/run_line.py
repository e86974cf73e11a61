"""Commands that run the pipeline or show what it made."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from hdm.commands.completion import lines_so_far
from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.commands.model_choice import Trained, Version
from hdm.commands.results_table import print_by_type, print_results
from hdm.config import STAGES, load_pipelines
from hdm.errors import ConfigError, HDMError, RegistryError
from hdm.line import Line, find_project
from hdm.orchestration import child_process
from hdm.orchestration.dvc_lock import keep_whole
from hdm.orchestration.line_result import LineResult
from hdm.orchestration.line_summary import Summary, report_file
from hdm.orchestration.run_progress import run_shown
from hdm.registry.history import champion_of, versions
from hdm.registry.mlflow_uris import pages, version_page
from hdm.registry.version_report import version_report
from hdm.stages import store_probe

JOBLESS = "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false"
"""Without it MLflow starts a job runner, seven processes that nothing here needs."""


def run(
    line: LineName,
    start: Annotated[str, typer.Option("--from", metavar="STAGE", help=(
        "Take the stages before this one as they are."))] = "",
    force: Annotated[bool, typer.Option("--force", help=(
        "Run stages whose inputs did not change, too."))] = False,
) -> None:
    """Bring a whole line up to date, from its images to the registry, and show the result."""
    chosen = Line.load(line)
    if start and start not in STAGES:
        raise ConfigError(f"no stage {start!r}; expected one of: {', '.join(STAGES)}.")
    if keep_whole(chosen.project):
        print("dvc.lock was damaged or lost and has been replaced by its last copy.")
    what = ["--downstream", f"{start}@{line}"] if start else [f"register@{line}"]
    command = child_process.repro(line, *(["--force"] if force else []), *what)
    store_probe.run(chosen)
    with run_shown(chosen), child_process.running(command, chosen.project) as process:
        code = process.wait()
    if code:
        raise HDMError(f"{line} did not get through; the reason is printed above, and the results "
                       "of its last good run are as they were.")
    print_results([LineResult.load(chosen)])
    made = Summary.load(chosen).version
    if made:
        print(f"MLflow:  {version_page(chosen.model_name, made, pages())}")


def results(
    line: Annotated[str, typer.Argument(metavar="[LINE]", autocompletion=lines_so_far, help=(
        "One line, by defect type; every line if left out."))] = "",
    as_json: AsJson = False,
) -> None:
    """Show what answers for every line, how good it is, and how to look at the runs."""
    project = find_project()
    names = [line] if line else list(load_pipelines(project).lines)
    found = [LineResult.load(Line.load(name, project)) for name in names]
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    print_results(found)
    if line:
        print_by_type(found[0])
    for title, command in viewers(found[0] if line else None):
        print(f"{title:<8} {command}")


def report(
    line: LineName,
    version: Version = "",
    trained: Trained = False,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Open the evaluation report of the live version; its path is printed in any case."""
    chosen = Line.load(line)
    file, note = _report(chosen, version, trained)
    if not file.is_file():
        raise HDMError(f"{line} has no report yet; make it with `hdm run {line}`.")
    print(file)
    if note:
        print(f"note: {note}")
    if browser:
        webbrowser.open(file.as_uri())


def _report(line: Line, version: str, trained: bool) -> tuple[Path, str]:
    """The report that was asked for, and what is to be said of it."""
    if version and trained:
        raise ConfigError("expected --version or --trained, received both; say whose report is "
                          "to be opened.")
    if trained:
        return report_file(line), ""
    found = versions(line)
    record = next((r for r in found if str(r.version) == version), None) if version else \
        champion_of(found)
    if version and record is None:
        raise RegistryError(f"{line.model_name} has no version {version}; `hdm history "
                            f"{line.name}` lists what there is.")
    if record is None:
        return report_file(line), ""
    return version_report(line, record), "" if version else LineResult.load(line).note


def viewers(result: LineResult | None = None) -> list[tuple[str, str]]:
    """The commands that open MLflow and Prefect, as they can be typed in this folder, and what to
    open: the page of the version that answers in `result`, or the list of models."""
    programs, here = Path(sys.executable).parent, Path.cwd()
    at = f"{programs.relative_to(here)}/" if programs.is_relative_to(here) else ""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    mlflow = f"open {address}" if address.startswith("http") else \
        (f"{JOBLESS} {at}mlflow ui --backend-store-uri {address or 'sqlite:///mlflow.db'} "
         "--workers 1")
    page = f"the model is at {result.page}" if result and result.page else \
        f"the models are at {pages()}/#/models"
    return [("MLflow:", mlflow), ("", page), ("Prefect:", f"{at}prefect server start")]
