"""The drift monitor over a year in which nothing changes, with parts known and without.

A year is PARTS good parts here, with a look after each: an alarm at any of them counts. Pictures of
a part are of cameras that differ, and alike within a part.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.guarantees.simulated_parts import drawn, row, share_row
from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import choose
from hdm.model_settings import ThresholdRule
from hdm.monitoring.drift import LOOKS, watch
from hdm.monitoring.part_values import doubt

TITLE = "A year of looks"
STATED, PARTS, HELD_OUT, CAMERA = 0.01, 500, 27, 1.0
CASES = ((1, 0.0, True), (2, 0.5, True), (4, 0.25, True), (4, 0.75, True), (8, 0.75, True),
         (2, 0.5, False), (4, 0.75, False))


def simulate(runs: int) -> list[dict[str, Any]]:
    """Rows of each number of pictures a part, their correlation, and whether the log says parts."""
    return [_case(pictures, alike, runs, known=known) for pictures, alike, known in CASES]


def _case(pictures: int, alike: float, runs: int, *, known: bool) -> dict[str, Any]:
    alarms, promised = 0, True
    for run in range(runs):
        random = np.random.default_rng([run, pictures, round(100 * alike)])
        calibration = _calibration(_figures(random, HELD_OUT, pictures, alike))
        point = choose(calibration, ThresholdRule())
        rows = _rows(_figures(random, PARTS, pictures, alike), point.threshold, random, known=known)
        promised = not doubt(rows, calibration)
        alarms += any(stream.alarm for stream in watch(calibration, point, rows, STATED, 0.01))
    case = (f"{PARTS} parts of {pictures}, correlation {alike:g}, "
            f"{'parts known' if known else 'parts unknown: no promise, no retraining'}")
    return row(case, "lines that ever raise an alarm", STATED, share_row(alarms, runs), runs,
               before=not promised)


def _figures(random: np.random.Generator, parts: int, pictures: int, alike: float) -> np.ndarray:
    """(4, parts, pictures): score and looks."""
    figures = drawn(random, parts, pictures, alike, 1 + len(LOOKS))
    figures[1:] += CAMERA * np.arange(pictures)
    return figures


def _calibration(figures: np.ndarray) -> Calibration:
    _, parts, pictures = figures.shape
    score, *looks = figures.reshape(len(figures), -1)
    order = np.argsort(score)
    return Calibration(tuple(score[order].tolist()),
                       tuple(Appearance(*one) for one in np.stack(looks, 1)[order].tolist()), (),
                       (1.0, 0.0), (1.0, 0.0),
                       tuple(np.repeat(np.arange(parts), pictures)[order].tolist()))


def _rows(figures: np.ndarray, limit: float, random: np.random.Generator, *, known: bool
          ) -> pd.DataFrame:
    _, parts, pictures = figures.shape
    rows = pd.DataFrame(figures.reshape(len(figures), -1).T, columns=["score", *LOOKS])
    rows["id"] = np.arange(1, len(rows) + 1)
    content = random.bytes(32 * len(rows)).hex()
    rows["pixel_hash"] = [content[64 * n:64 * n + 64] for n in range(len(rows))]
    rows["part"] = np.repeat(np.arange(parts).astype(str), pictures) if known else None
    rows["threshold"] = limit
    rows["decision"] = np.where(rows["score"] > limit, "defect", "good")
    return rows
