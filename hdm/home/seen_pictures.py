"""What a line's model judged lately, and what people have said of it."""

import time
from typing import NamedTuple

from hdm.dataset.feedback_entries import ID_LENGTH, entries_in
from hdm.evaluation.stopped_parts import PASSED, UNDECIDABLE
from hdm.line import Line
from hdm.monitoring.prediction_log import PredictionLog

VIEWS = {"stopped": "Stopped", "undecidable": "Undecidable", "all": "All"}
SHOWN = 60
NEWEST = 5_000
"""Rows of the log that are looked through."""


class SeenPicture(NamedTuple):
    """One logged prediction. when: UTC. kept: its picture is there, so that one can say something
    of it. said: what somebody said of it already, "" if nobody."""

    row: int
    when: str
    name: str
    part: str
    version: str
    decision: str
    score: float | None
    threshold: float | None
    reason: str
    kept: bool
    said: str


def seen_pictures(line: Line, view: str) -> list[SeenPicture]:
    """The newest predictions of a view, each picture once, newest first.

    Raises HDMError if the log cannot be read.
    """
    log = PredictionLog(line.log_folder, line.params.monitor)
    try:
        rows = log.read(last=NEWEST) if log.file.is_file() else None
    finally:
        log.close()
    if rows is None:
        return []
    wanted = {"stopped": rows["decision"] != PASSED,
              "undecidable": rows["decision"] == UNDECIDABLE}.get(view)
    if wanted is not None:
        rows = rows[wanted]
    rows = rows[~rows.duplicated("pixel_hash", keep="last") | rows["pixel_hash"].isna()]
    said = {entry.id: f"{entry.said}, says {entry.who or 'somebody'}"
            for entry in entries_in(line.feedback)}
    found = rows.tail(SHOWN).astype(object).where(rows.notna(), None).to_dict("records")
    return [SeenPicture(
        int(row["id"]), time.strftime("%Y-%m-%d %H:%M", time.gmtime(row["time"])), row["name"],
        row["part"] or "", row["model"], row["decision"], row["score"], row["threshold"],
        row["reason"] or "", bool(row["kept"]), said.get(str(row["pixel_hash"])[:ID_LENGTH], ""))
        for row in reversed(found)]
