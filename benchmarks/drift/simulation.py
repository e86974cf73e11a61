"""Simulated lines: what their monitor sees, with and without drift.

Figures are Gaussian and correlated; the monitor ranks them, so only their order matters. Drift is
stated in standard deviations of good parts.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import OperatingPoint, choose
from hdm.model_settings import ThresholdRule
from hdm.monitoring.drift import LOOKS, Stream, counted, watch

FIGURES = ("score", *LOOKS)
DEFECT_SCORE = 4.0
RATE = ThresholdRule(false_alarm_rate=0.05)
COST = ThresholdRule(escape_cost=50, false_reject_cost=1, defect_rate=0.02)
_CORRELATION = 0.4


@dataclass(frozen=True)
class Drift:
    """A change of one figure: it shifts by `shift` deviations and spreads by `spread`.

    begin: images before it. ramp: images until it has grown to its full size, 0 at once.
    """

    figure: Literal["score", "brightness", "contrast", "sharpness"] = "brightness"
    shift: float = 0.0
    spread: float = 1.0
    begin: int = 0
    ramp: int = 0


@dataclass(frozen=True)
class Case:
    """One kind of line. defects: share of defective parts; stated: whether it was stated."""

    normals: int = 100
    images: int = 2_000
    rule: ThresholdRule = RATE
    defects: float = 0.02
    stated: bool = True
    undecidable: float = 0.01


def life(case: Case, drift: Drift | None, alarm_rate: float, seed: int) -> tuple[Stream, ...]:
    """The streams of one simulated line from its first image to its last."""
    generator = np.random.default_rng(seed)
    calibration = _calibration(case.normals, generator)
    point = choose(calibration, case.rule)
    rows = counted(_rows(case, drift, point, generator), point.threshold)
    return watch(calibration, point, rows, alarm_rate, 0.01,
                 case.defects if case.stated else None)


def first_alarm(streams: tuple[Stream, ...]) -> int | None:
    """Images until the first alarm of any stream, which looked after every image; None: never."""
    crossed = [int(stream.rows[stream.crossed]) for stream in streams if stream.crossed is not None]
    return min(crossed, default=None)


def _figures(count: int, generator: np.random.Generator) -> np.ndarray:
    """(count, 4) standard normal, each pair correlated."""
    common = generator.standard_normal((count, 1))
    own = generator.standard_normal((count, len(FIGURES)))
    return np.asarray(_CORRELATION**0.5 * common + (1 - _CORRELATION)**0.5 * own)


def _calibration(normals: int, generator: np.random.Generator) -> Calibration:
    figures = _figures(normals, generator)
    figures = figures[np.argsort(figures[:, 0])]
    synthetic = np.sort(generator.standard_normal(200) * 1.5 + DEFECT_SCORE)
    return Calibration(tuple(figures[:, 0].tolist()),
                       tuple(Appearance(*row) for row in figures[:, 1:].tolist()),
                       tuple(synthetic.tolist()), (1.0, 0.0), (1.0, 0.0))


def _rows(case: Case, drift: Drift | None, point: OperatingPoint,
          generator: np.random.Generator) -> pd.DataFrame:
    figures = _figures(case.images, generator)
    figures[generator.random(case.images) < case.defects, 0] += DEFECT_SCORE
    if drift:
        column, since = FIGURES.index(drift.figure), np.arange(case.images) - drift.begin
        size = np.clip((since + 1) / max(drift.ramp, 1), 0, 1)
        figures[:, column] *= 1 + (drift.spread - 1) * size
        figures[:, column] += drift.shift * size
    rows = pd.DataFrame(figures, columns=list(FIGURES))
    rows["part"] = None
    rows["id"] = np.arange(1, case.images + 1)
    rows["pixel_hash"] = [generator.bytes(32).hex() for _ in range(case.images)]
    rows["threshold"] = point.threshold
    rows["decision"] = np.where(rows["score"] > point.threshold, "defect", "good")
    lost = generator.random(case.images) < case.undecidable
    rows.loc[lost, [*FIGURES, "threshold"]] = np.nan
    rows.loc[lost, "pixel_hash"] = None
    rows.loc[lost, "decision"] = "undecidable"
    return rows
