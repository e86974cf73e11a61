"""A line in service: a calibration, and rows of its log."""

import numpy as np
import pandas as pd

from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import OperatingPoint
from hdm.monitoring.drift import LOOKS

POINT = OperatingPoint(1.5, 0.05, True, "rate", None, None, 19, 0.05, 0.1, 0.05)


def calibration(normals: int = 100, seed: int = 0) -> Calibration:
    figures = np.random.default_rng(seed).standard_normal((normals, 4))
    figures = figures[np.argsort(figures[:, 0])]
    return Calibration(tuple(figures[:, 0].tolist()),
                       tuple(Appearance(*row) for row in figures[:, 1:].tolist()), (),
                       (1.0, 0.0), (1.0, 0.0))


def rows(count: int = 400, seed: int = 1, **changed: np.ndarray | float) -> pd.DataFrame:
    """Predictions of POINT's detector; `changed` is added to a figure."""
    generator = np.random.default_rng(seed)
    found = pd.DataFrame(generator.standard_normal((count, 4)), columns=["score", *LOOKS])
    for name, change in changed.items():
        found[name] += change
    found["id"] = np.arange(1, count + 1)
    found["time"] = 1.79e9 + np.arange(count) * 60.0
    found["model"] = "3"
    found["threshold"] = POINT.threshold
    found["part"] = None
    found["pixel_hash"] = [generator.bytes(32).hex() for _ in range(count)]
    found["decision"] = np.where(found["score"] > POINT.threshold, "defect", "good")
    found["reasons"] = "[]"
    return found


def undecidable(found: pd.DataFrame, which: np.ndarray) -> pd.DataFrame:
    """The same rows, of which some could not be judged."""
    found = found.copy()
    found.loc[which, ["score", *LOOKS, "threshold"]] = np.nan
    found.loc[which, "pixel_hash"] = None
    found.loc[which, "decision"] = "undecidable"
    found.loc[which, "reasons"] = '["too_dark"]'
    return found
