"""What was found of pictures, read from the tables of `hdm watch` and `hdm predict`."""

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from hdm.csv_cells import restored
from hdm.errors import DataError
from hdm.watching.results_file import COLUMNS as WATCHED
from hdm.watching.results_file import RESULTS, places

PREDICTIONS, REGIONS = "predictions.csv", "regions.csv"
PREDICTED = ("path", "model_version", "score", "decision", "threshold", "reasons", "overlay",
             "error")
"""Of the columns that both tables have, those that are used."""
UNREADABLE = "unreadable"
DECISIONS = ("good", "defect", "undecidable", UNREADABLE)


@dataclass(frozen=True)
class Judged:
    """One picture. number: of its row. decision: one of DECISIONS. version: of the model. place:
    where the defects are, in words. reason: why it is undecidable or unreadable. part: "" where it
    is not known. time: UTC, "" where the table does not say. overlay: its picture with outlines,
    which may be gone; None where there is none."""

    number: int
    name: str
    decision: str
    version: str = ""
    score: float | None = None
    threshold: float | None = None
    place: str = ""
    reason: str = ""
    part: str = ""
    time: str = ""
    lot: str = ""
    overlay: Path | None = None


def results_in(path: Path) -> Path:
    """The table that `path` is or holds; raises DataError."""
    for file in (path, path / RESULTS, path / PREDICTIONS):
        if file.is_file():
            return file
    raise DataError(f"expected {RESULTS} of `hdm watch` or {PREDICTIONS} of `hdm predict` at {path}"
                    ", found neither; name another with --from.")


def read_results(file: Path, line: str, part_of: Callable[[str], str | None], lot: str = ""
                 ) -> list[Judged]:
    """The pictures of a table. part_of: from a name to the part, where the table does not say it.
    lot: of the pictures of a table that knows no lots, as that of `hdm predict`.

    Raises DataError for another table, a row that is none, or the results of another line.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            table = csv.DictReader(stream)
            columns = set(table.fieldnames or ())
            if not set(PREDICTED) <= columns:
                raise DataError(f"{file}: expected the columns {', '.join(PREDICTED)}; name a "
                                "table of `hdm watch` or `hdm predict` with --from.")
            rows = [{"lot": lot, **{name: restored(value or "") for name, value in row.items()
                                    if name}} for row in table]
    except (OSError, csv.Error) as error:
        raise DataError(f"cannot read {file} ({error}); restore it, or name another with --from."
                        ) from None
    where = {} if set(WATCHED) <= columns else _regions(file.with_name(REGIONS))
    found = [_judged(file, number, row, where) for number, row in enumerate(rows, start=1)]
    if other := {row["line"] for row in rows if row.get("line", line) != line}:
        raise DataError(f"{file} holds results of {', '.join(sorted(other))}, not of {line}; name "
                        "another table with --from.")
    return [one if one.part else _with_part(one, part_of(one.name) or "") for one in found]


def _judged(file: Path, number: int, row: dict[str, str], where: dict[str, str]) -> Judged:
    decision = row["decision"] or UNREADABLE
    try:
        if decision not in DECISIONS:
            raise ValueError(decision)
        return Judged(
            int(row.get("number") or number), row["path"], decision, row["model_version"],
            _number(row["score"]), _number(row["threshold"]),
            row.get("places", where.get(row["path"], "")), row["reasons"] or row["error"],
            row.get("part", ""), row.get("time", ""), row["lot"],
            _overlay(file.parent, row["overlay"]))
    except ValueError:
        raise DataError(f"{file}: row {number} is none of `hdm watch` or `hdm predict`: expected a "
                        f"decision and figures, found {row['decision']!r}, score {row['score']!r}; "
                        "restore the file.") from None


def _number(cell: str) -> float | None:
    number = float(cell) if cell else None
    return number if number is None or math.isfinite(number) else None


def _overlay(folder: Path, cell: str) -> Path | None:
    """A picture below the folder of the table: whatever a cell says, nothing else is shown."""
    if not cell:
        return None
    file = (folder / cell).resolve()
    return file if file.is_relative_to(folder.resolve()) else None


def _with_part(one: Judged, part: str) -> Judged:
    return Judged(**{**vars(one), "part": part})


def _regions(file: Path) -> dict[str, str]:
    """From a picture to its places, by the regions.csv of `hdm predict`; empty where it is gone."""
    found: dict[str, list[SimpleNamespace]] = {}
    for row in _cells(file):
        try:
            box = SimpleNamespace(**{name: int(row[name])
                                     for name in ("left", "top", "width", "height")})
        except (KeyError, TypeError, ValueError):
            continue
        found.setdefault(restored(row["path"]), []).append(box)
    return {name: places(boxes) for name, boxes in found.items()}


def _cells(file: Path) -> Iterator[dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            yield from csv.DictReader(stream)
    except (OSError, csv.Error):
        return
