"""`hdm doctor`: whether everything around the lines is as it must be."""

import typer

from hdm.commands.json_output import AsJson, print_json
from hdm.config import load_pipelines
from hdm.console import Console
from hdm.doctor import environment, model_registry, prefect_state, project_files
from hdm.doctor.finding import problems
from hdm.line import Line, find_project

COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(
    as_json: AsJson = False,
) -> None:
    """Look at packages, disk, settings, sources, registry and servers; say what to mend, and how.

    Nothing is changed. The exit code is 1 if something is broken.
    """
    project = find_project()
    pipelines = load_pipelines(project)
    lines = [Line.load(name, project) for name in pipelines.lines]
    findings = [*environment.look(project, lines),
                *project_files.look(project, lines, pipelines.sample_lines),
                *model_registry.look(project, lines), *prefect_state.look(project)]
    broken = list(problems(findings))
    if as_json:
        print_json([one._asdict() for one in findings])
    else:
        console = Console(highlight=False, soft_wrap=True)
        for one in findings:
            console.print(f"{one.state:<8}", style=COLOURS[one.state], end="")
            console.print(f"{one.subject}: {one.sentence}", markup=False)
        console.print(f"{len(findings)} things looked at, {len(broken)} to be mended.")
    if broken:
        raise typer.Exit(1)
