"""All that the inspection page of a line shows, from the registry, the log and the monitor."""

import csv
import io
import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hdm.csv_cells import restored
from hdm.errors import HDMError
from hdm.files import read_json
from hdm.line import Line
from hdm.monitoring.line_page import Page, Sheet, VersionRow
from hdm.monitoring.plant_page import LineRow
from hdm.registry.decision_log import noted
from hdm.registry.history import Service, VersionRecord, champion_of, services, versions
from hdm.registry.mlflow_client import first_line

# Worst first: what was missed, what was rejected for nothing, then each defect type.
SHEETS = {"escapes": "Escapes: defects that were missed",
          "false_alarms": "False alarms: good parts that were stopped"}
DECISIONS = 40
LOG = logging.getLogger("hdm.monitoring")


def gather(line: Line, client: Any, mlflow: Any, pictures: bool = True) -> Page:
    """The page's content; what is not there is left empty and said so. pictures: with heat maps.

    Raises RegistryError if the store cannot be read.
    """
    found = versions(line)
    times = services(client, line.model_name)
    champion = champion_of(found)
    sheets, problem = _sheets(client, mlflow, champion) if champion and pictures else \
        ((), "")
    return Page(
        line=line.name, description=line.entry.description, owner=line.entry.owner,
        champion=_row(champion, times) if champion else None,
        versions=tuple(_row(record, times) for record in found), sheets=sheets,
        sheets_problem=problem, monitor=_monitor(line),
        decisions=tuple(reversed(noted(line)[-DECISIONS:])),
        aurocs=_aurocs(mlflow, champion) if champion else {})


def plant_row(line: Line, client: Any, page: str) -> LineRow:
    """A line's row on the page of all lines. client: MLflow's, or None where there is no store of
    the line yet. Raises RegistryError if the store cannot be read."""
    champion = champion_of(versions(line)) if client else None
    times = services(client, line.model_name) if champion else []
    return LineRow(line.name, line.entry.description, page,
                   _row(champion, times) if champion else None,
                   next((one for one in reversed(noted(line)) if one.get("version")), {}),
                   _monitor(line), line.params.evaluate.operating_point.costs)


def _row(record: VersionRecord, times: list[Service]) -> VersionRow:
    made = datetime.fromtimestamp(record.created / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    live = tuple(f"{_short(time.since)} to {_short(time.until) or 'now'}" for time in times
                 if time.version == str(record.version))
    return VersionRow(record.version, made, record.decision, record.reasons, record.aliases,
                      record.image_auroc, record.pixel_auroc, live, record.detection)


def _sheets(client: Any, mlflow: Any, champion: VersionRecord) -> tuple[tuple[Sheet, ...], str]:
    """The champion's heat-map sheets as its evaluation drew them, or why there are none."""
    try:
        run = client.get_run(champion.run_id).data.tags["stage.evaluate"]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(mlflow.artifacts.download_artifacts(
                run_id=run, artifact_path="heatmaps", dst_path=scratch))
            names = {file.stem: file.read_bytes() for file in folder.glob("*.png")}
    except Exception as error:
        return (), f"The heat maps of version {champion.version} cannot be fetched " \
                   f"({first_line(error)})."
    order = [*SHEETS, *sorted(name for name in names if name.startswith("type_"))]
    return tuple(Sheet(SHEETS.get(name, f"Defects: {name.removeprefix('type_')}"), names[name])
                 for name in order if name in names), ""


def _aurocs(mlflow: Any, champion: VersionRecord) -> dict[str, float | None]:
    """Image AUROC by defect type, as the champion's run has them; empty where it cannot be
    asked."""
    try:
        text = mlflow.artifacts.load_text(f"runs:/{champion.run_id}/by_defect_type.csv")
        return {restored(row["defect_type"]):
                float(row["image_auroc"]) if row["image_auroc"] else None
                for row in csv.DictReader(io.StringIO(text))}
    except Exception as error:
        LOG.debug("no table by defect type: %s", first_line(error))
        return {}


def _monitor(line: Line) -> dict[str, Any]:
    """The last look for drift; empty before the first."""
    try:
        return dict(read_json(line.folder / "monitor" / "status.json"))
    except (HDMError, TypeError, ValueError):
        return {}


def _short(time: str) -> str:
    return time[:16].replace("T", " ")
