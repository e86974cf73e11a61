"""What the registry says of lines, through one client that is imported once."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from hdm.line import Line
from hdm.monitoring.line_history import gather, plant_row
from hdm.monitoring.line_page import Page
from hdm.monitoring.plant_page import LineRow
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.decision_log import noted
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.store import identify

GATE = ("promote", "hold", "refuse")
"""What the gate decides; all else in the log is done by people."""


def rows_of(lines: Sequence[Line]) -> list[LineRow]:
    """Each line's row on the page of all lines. Raises RegistryError if the store does not
    answer."""
    return [plant_row(line, _client(line), f"/{line.name}") for line in lines]


def history_of(line: Line) -> Page:
    """A line's versions, decisions and drift, without pictures. Raises RegistryError."""
    client = _client(line)
    if client is None:
        return Page(line.name, line.entry.description, line.entry.owner, None, (), (), "", {}, ())
    mlflow = load_mlflow()
    mlflow.set_tracking_uri(tracking_uri(line.project))
    return gather(line, client, mlflow, pictures=False)


def gate_said(line: Line) -> dict[int, str]:
    """Version -> why the gate promoted, held or refused it, as noted in the decision log."""
    return {int(entry["version"]): str(entry.get("why", "")) for entry in noted(line)
            if entry.get("action") in GATE and str(entry.get("version", "")).isdecimal()}


def _client(line: Line) -> Any:
    """MLflow's client; None where there is no store of the line yet."""
    uri = tracking_uri(line.project)
    return None if tracking_off() or identify(uri, line.name) is None else _connected(uri)


@cache
def _connected(uri: str) -> Any:
    return connect(uri)
