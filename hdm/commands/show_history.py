"""`hdm history`: the versions of a line's model, for reading."""

from collections.abc import Sequence
from typing import Any

from rich.table import Column, Table

from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.commands.registered_line import registered_line
from hdm.console import Console
from hdm.registry.continuity import unfitting
from hdm.registry.history import Service, VersionRecord, services, versions
from hdm.registry.mlflow_uris import model_page, pages
from hdm.registry.model_versions import CHAMPION
from hdm.registry.store import ask


def history(line: LineName, as_json: AsJson = False) -> None:
    """Show every version of a line's model: what the gate said, and when it was live."""
    chosen, uri = registered_line(line)
    served: dict[int, list[str]] = {}
    times = ask(uri, lambda client: services(client, chosen.model_name))
    for time in times:
        served.setdefault(int(time.version), []).append(
            f"{_short(time.since)} to {_short(time.until) or 'now'}")
    table = Table("version", "gate", "image AUROC", "pixel AUROC", "recall", "false alarms",
                  "alias", Column("live (UTC)", overflow="fold"))
    found = versions(chosen)
    if as_json:
        print_json([_plain(record, times) for record in found])
        return
    for record in found:
        table.add_row(str(record.version), record.decision, _number(record.image_auroc),
                      _number(record.pixel_auroc),
                      record.detection.defects.rate() if record.detection else "–",
                      record.detection.good.rate() if record.detection else "–",
                      ", ".join(record.aliases),
                      "\n".join(served.get(record.version, [])))
    console = Console()
    Console(width=max(console.width, 110)).print(table)
    live = next((r.version for r in found if CHAMPION in r.aliases), None)
    if live and (not times or int(times[-1].version) != live):
        print(f"note: the alias champion was moved to version {live} by hand; the record above "
              "does not know since when.")
    if said := ask(uri, lambda client: unfitting(client, chosen)):
        print(f"note: {said}")
    print(f"MLflow:  {model_page(chosen.model_name, pages())}")


def _plain(record: VersionRecord, times: Sequence[Service]) -> dict[str, Any]:
    """A version for JSON, with the times in which it was live; `until` is "" while it still is."""
    told = record.detection
    return {**record._asdict(), "detection": told.as_dict() if told else None,
            "live": [{"since": time.since, "until": time.until} for time in times
                     if time.version == str(record.version)]}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _short(time: str) -> str:
    """2026-01-31T08:00:00.000+00:00 as 2026-01-31 08:00:00."""
    return time[:19].replace("T", " ")
