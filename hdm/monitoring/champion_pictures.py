"""What the champion's evaluation drew and measured by defect type, fetched once a version.

It never changes, so it is kept beside the line's page: data/<line>/page/champion, safe to delete.
"""

import csv
import io
import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hdm.csv_cells import restored
from hdm.files import atomic_folder
from hdm.line import Line
from hdm.monitoring.line_page import Sheet
from hdm.registry.history import VersionRecord
from hdm.registry.mlflow_client import first_line

# Worst first: what was missed, what was rejected for nothing, then each defect type.
SHEETS = {"escapes": "Escapes: defects that were missed",
          "false_alarms": "False alarms: good parts that were stopped"}
RUN, TABLE = "run.txt", "by_defect_type.csv"
LOG = logging.getLogger("hdm.monitoring")


class ChampionPictures(NamedTuple):
    """sheets: heat maps, worst first. problem: why there are none, or "". aurocs: image AUROC by
    defect type; empty where it cannot be asked."""

    sheets: tuple[Sheet, ...] = ()
    problem: str = ""
    aurocs: Mapping[str, float | None] = {}


def champion_pictures(line: Line, champion: VersionRecord,
                      store: Callable[[], tuple[Any, Any]]) -> ChampionPictures:
    """Of this version, from what is kept or else from the registry.

    store: makes MLflow's client and the module mlflow, which takes seconds. Raises HDMError if
    what was fetched cannot be kept.
    """
    kept = line.folder / "page" / "champion"
    made = f"{champion.run_id}\n"
    try:
        known = (kept / RUN).read_text(encoding="utf-8") == made
    except OSError:
        known = False
    if not known:
        client, mlflow = store()
        try:
            run = client.get_run(champion.run_id).data.tags["stage.evaluate"]
            with tempfile.TemporaryDirectory() as scratch:
                found = Path(mlflow.artifacts.download_artifacts(
                    run_id=run, artifact_path="heatmaps", dst_path=scratch))
                drawn = {file.name: file.read_bytes() for file in found.glob("*.png")}
        except Exception as error:
            return ChampionPictures((), f"The heat maps of version {champion.version} cannot be "
                                    f"fetched ({first_line(error)}).", _aurocs(_table(
                                        mlflow, champion)))
        with atomic_folder(kept) as folder:
            for name, png in drawn.items():
                (folder / name).write_bytes(png)
            (folder / TABLE).write_text(_table(mlflow, champion), encoding="utf-8")
            (folder / RUN).write_text(made, encoding="utf-8")
    return ChampionPictures(_sheets(kept), "", _aurocs((kept / TABLE).read_text(encoding="utf-8")))


def _sheets(folder: Path) -> tuple[Sheet, ...]:
    pngs = {file.stem: file.read_bytes() for file in folder.glob("*.png")}
    order = [*SHEETS, *sorted(name for name in pngs if name.startswith("type_"))]
    return tuple(Sheet(SHEETS.get(name, f"Defects: {name.removeprefix('type_')}"), pngs[name])
                 for name in order if name in pngs)


def _table(mlflow: Any, champion: VersionRecord) -> str:
    try:
        return str(mlflow.artifacts.load_text(f"runs:/{champion.run_id}/{TABLE}"))
    except Exception as error:
        LOG.debug("no table by defect type: %s", first_line(error))
        return ""


def _aurocs(table: str) -> dict[str, float | None]:
    try:
        return {restored(row["defect_type"]):
                float(row["image_auroc"]) if row["image_auroc"] else None
                for row in csv.DictReader(io.StringIO(table))}
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        LOG.debug("no table by defect type: %s", first_line(error))
        return {}
