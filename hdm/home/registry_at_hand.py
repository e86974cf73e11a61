"""What the registry says of lines, for their pages."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hdm.line import Line
from hdm.monitoring.line_history import plant_row, with_pictures, without_pictures
from hdm.monitoring.line_page import Page
from hdm.monitoring.plant_page import LineRow
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.decision_log import noted
from hdm.registry.history import VersionRecord
from hdm.registry.mlflow_client import opened
from hdm.registry.store import ask, identified

AT_ONCE = 8
"""Lines that a server is asked about side by side."""
GATE = ("promote", "hold", "refuse")
"""What the gate decides; all else in the log is done by people."""


def rows_of(lines: Sequence[Line]) -> list[LineRow]:
    """Each line's row on the page of all lines. Raises RegistryError if the store does not
    answer."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(
            lambda line: plant_row(line, _known(line)[0], f"/{line.name}"), lines))


def history_of(line: Line) -> Page:
    """A line's versions, decisions and drift. Raises RegistryError."""
    page, champion = _known(line)
    if page is None:
        return Page(line.name, line.entry.description, line.entry.owner, None, (), (), "", {}, ())
    return with_pictures(line, page, champion, lambda: opened(tracking_uri(line.project)))


def gate_said(line: Line) -> dict[int, str]:
    """Version -> why the gate promoted, held or refused it, as noted in the decision log."""
    return {int(entry["version"]): str(entry.get("why", "")) for entry in noted(line)
            if entry.get("action") in GATE and str(entry.get("version", "")).isdecimal()}


def _known(line: Line) -> tuple[Page | None, VersionRecord | None]:
    """The line's page without pictures, and its champion; None where there is no store of the line
    yet."""
    if tracking_off():
        return None, None
    return ask(tracking_uri(line.project), lambda client: without_pictures(line, client)
               if identified(client, line.name) else (None, None))
