"""`hdm page`: a line in service on one page, and all lines on one."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from hdm.commands.completion import lines_so_far
from hdm.commands.registered_line import registered_line
from hdm.config import load_pipelines
from hdm.files import write_text
from hdm.line import Line, find_project
from hdm.monitoring.kept_page import write_line_page
from hdm.monitoring.line_history import plant_row
from hdm.monitoring.plant_page import LineRow, render_plant
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.store import identify


def page(
    line: Annotated[str, typer.Argument(
        metavar="[LINE]", autocompletion=lines_so_far,
        help="A product line of pipelines.yaml; all if left out.")] = "",
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Write and open a line's page (versions over time, heat maps, drift, decisions), or that of
    all lines.

    The page of all lines leads to those of each.
    """
    if line:
        file, _ = write_line_page(*registered_line(line), anew=True)
    else:
        project = find_project()
        file = project / "data" / "index.html"
        rows = [_row(Line.load(name, project), file.parent)
                for name in load_pipelines(project).lines]
        write_text(file, render_plant(rows))
    print(file)
    if browser:
        webbrowser.open(file.as_uri())


def _row(line: Line, folder: Path) -> LineRow:
    """The line's row, after its own page was written where it changed; it has none before its first
    model."""
    uri = tracking_uri(line.project)
    if tracking_off() or identify(uri, line.name) is None:
        return plant_row(line, None, "")
    file, shown = write_line_page(line, uri, anew=False)
    return plant_row(line, shown, file.relative_to(folder).as_posix())
