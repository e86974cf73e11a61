"""Whether two detectors say the same of the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hdm.errors import HDMError

SCORE_TOLERANCE = 1e-3
"""Of scores, whose unit is a good image's deviation; relative above 1."""
MAP_TOLERANCE = 1e-3
"""Of anomaly maps, whose values are in [0, 1]."""
BATCH = 16


@dataclass(frozen=True)
class Agreement:
    """Largest differences over `images` images. decisions, p_values: how many differ that are not
    within the tolerance of where they change."""

    images: int
    score: float
    anomaly_map: float
    decisions: int
    p_values: int

    @property
    def agrees(self) -> bool:
        """False also where a difference is no number."""
        return self.score <= SCORE_TOLERANCE and self.anomaly_map <= MAP_TOLERANCE \
            and not self.decisions and not self.p_values


def compare(detector: Any, other: Any, images: Sequence[np.ndarray]) -> Agreement:
    """Both detectors' predictions side by side; `detector` is a hdm.HDM."""
    score = anomaly_map = 0.0
    decisions = p_values = 0
    for start in range(0, len(images), BATCH):
        part = images[start:start + BATCH]
        for one, two in zip(detector.predict(part), other.predict(part), strict=True):
            slack = SCORE_TOLERANCE * max(1.0, abs(one.score))
            # np.maximum, as max() of a NaN depends on the order.
            score = float(np.maximum(score, abs(one.score - two.score) / max(1.0, abs(one.score))))
            anomaly_map = float(np.maximum(
                anomaly_map, np.abs(one.anomaly_map - two.anomaly_map).max()))
            decisions += one.decision != two.decision and abs(one.score - one.threshold) > slack
            highest, lowest = (detector.calibration.p_value(one.score + step)
                               for step in (-slack, slack))
            p_values += not lowest - 1e-6 <= two.p_value <= highest + 1e-6
    return Agreement(len(images), score, anomaly_map, decisions, p_values)


def refusal(found: Agreement) -> HDMError:
    """Why the export was refused."""
    return HDMError(
        f"the exported model does not say what the detector says on {found.images} images: scores "
        f"differ by up to {found.score:.2g} (allowed {SCORE_TOLERANCE:g}), anomaly maps by "
        f"{found.anomaly_map:.2g} (allowed {MAP_TOLERANCE:g}), {found.decisions} decisions and "
        f"{found.p_values} p-values are others; nothing was written, use the torch backend.")
