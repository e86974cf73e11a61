"""`hdm page`: one page about a line in service, as a file."""

import webbrowser
from typing import Annotated

import typer

from hdm.commands.line_name import LineName
from hdm.commands.registered_line import open_registry
from hdm.files import write_text
from hdm.monitoring.line_history import gather
from hdm.monitoring.line_page import render
from hdm.registry.address import tracking_uri
from hdm.registry.mlflow_client import load_mlflow


def page(
    line: LineName,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
) -> None:
    """Write and open a line's page: versions over time, the champion's heat maps, drift, decisions.
    """
    chosen, client = open_registry(line)
    mlflow = load_mlflow()
    mlflow.set_tracking_uri(tracking_uri(chosen.project))
    file = chosen.folder / "page" / "index.html"
    write_text(file, render(gather(chosen, client, mlflow)))
    print(file)
    if browser:
        webbrowser.open(file.as_uri())
