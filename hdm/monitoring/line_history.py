"""All that the inspection page of a line shows, from the registry, the log and the monitor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hdm.errors import HDMError
from hdm.files import read_json
from hdm.line import Line
from hdm.monitoring.champion_pictures import champion_pictures
from hdm.monitoring.line_page import Page, VersionRow
from hdm.monitoring.plant_page import LineRow
from hdm.registry.decision_log import noted
from hdm.registry.history import Service, VersionRecord, champion_of, known_versions, services

DECISIONS = 40


def without_pictures(line: Line, client: Any) -> tuple[Page, VersionRecord | None]:
    """What may change from day to day, and the champion. client: MLflow's, or a quick one. Raises
    RegistryError if the store cannot be read."""
    found = known_versions(client, line)
    times = services(client, line.model_name)
    champion = champion_of(found)
    return Page(
        line=line.name, description=line.entry.description, owner=line.entry.owner,
        champion=_row(champion, times) if champion else None,
        versions=tuple(_row(record, times) for record in found), sheets=(), sheets_problem="",
        monitor=_monitor(line, champion.version if champion else None),
        decisions=tuple(reversed(noted(line)[-DECISIONS:]))), champion


def with_pictures(line: Line, page: Page, champion: VersionRecord | None,
                  store: Callable[[], tuple[Any, Any]]) -> Page:
    """The page with the champion's heat maps. store: see champion_pictures."""
    if champion is None:
        return page
    found = champion_pictures(line, champion, store)
    return replace(page, sheets=found.sheets, sheets_problem=found.problem, aurocs=found.aurocs)


def plant_row(line: Line, page: Page | None, address: str) -> LineRow:
    """A line's row on the page of all lines. page: its own, None where there is no store of the
    line yet; address: where that is."""
    entries = page.decisions if page else tuple(reversed(noted(line)))
    # What was decided of versions; that the line was renamed is no decision.
    last: dict[str, Any] = next((entry for entry in entries if entry.get("version")), {})
    return LineRow(line.name, line.entry.description, address, page.champion if page else None,
                   last, _monitor(line, page.champion.version if page and page.champion else None),
                  line.params.evaluate.operating_point.costs)


def _row(record: VersionRecord, times: list[Service]) -> VersionRow:
    made = datetime.fromtimestamp(record.created / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    live = tuple(f"{_short(time.since)} to {_short(time.until) or 'now'}" for time in times
                 if time.version == str(record.version))
    return VersionRow(record.version, made, record.decision, record.reasons, record.aliases,
                      record.image_auroc, record.pixel_auroc, live, record.detection)


def _monitor(line: Line, champion: int | None) -> dict[str, Any]:
    """The last look for drift; empty before the first. What was found of another version than the
    champion is no news of this one."""
    try:
        status = dict(read_json(line.folder / "monitor" / "status.json"))
    except (HDMError, TypeError, ValueError):
        return {}
    looked_at = status.get("model")
    if champion is None or looked_at is None or str(looked_at) == str(champion):
        return status
    return {**status, "state": "idle", "sentence": (
        f"Nobody has looked for drift of version {champion} yet; the last look was at version "
        f"{looked_at}.")}


def _short(time: str) -> str:
    return time[:16].replace("T", " ")
