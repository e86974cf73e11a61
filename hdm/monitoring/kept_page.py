"""A line's page is written again only where it would be another one: of a hundred lines few change
in a day, and drawing a page takes as long as looking at twenty lines."""

import hashlib
from importlib.resources import files
from pathlib import Path

from hdm.drawing.html import style
from hdm.files import write_text
from hdm.line import Line
from hdm.monitoring.line_history import with_pictures, without_pictures
from hdm.monitoring.line_page import Page, render
from hdm.registry.history import VersionRecord
from hdm.registry.mlflow_client import opened
from hdm.registry.store import ask

MADE_OF = "made_of.txt"
"""Beside the page: a digest of all that it shows, but for pictures that go with the version."""
LOOKS = ("line_page.html.j2", "line_verdict.html.j2", "line_stopped.html.j2",
         "line_decisions.html.j2", "line_page.py")


def write_line_page(line: Line, uri: str, *, anew: bool) -> tuple[Path, Page]:
    """The line's page, data/<line>/page/index.html, up to date, and what it shows, pictures aside;
    with `anew` it is written in any case. Where nothing is to be fetched, mlflow is not imported.

    Raises RegistryError if the store at `uri` cannot be read, HDMError if nothing can be written.
    """
    page, champion = ask(uri, lambda client: without_pictures(line, client))
    file = line.folder / "page" / "index.html"
    mark, made_of = file.with_name(MADE_OF), _digest(page, champion)
    if not anew and file.is_file() and mark.is_file() and \
            mark.read_text(encoding="utf-8", errors="replace") == made_of:
        return file, page

    whole = with_pictures(line, page, champion, lambda: opened(uri))
    write_text(file, render(whole))
    if not whole.sheets_problem:
        write_text(mark, made_of)
    return file, page


def _digest(page: Page, champion: VersionRecord | None) -> str:
    looks = [style(), *((files("hdm.monitoring") / name).read_text(encoding="utf-8")
                        for name in LOOKS)]
    text = "\n".join([repr(page), champion.run_id if champion else "", *looks])
    return f"{hashlib.sha256(text.encode()).hexdigest()}\n"
