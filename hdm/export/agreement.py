"""Whether two detectors say the same of the same images."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from hdm.errors import HDMError

BATCH = 16


class Tolerance(NamedTuple):
    """By how much two detectors may differ. score: of scores, whose unit is a good image's
    deviation; relative above 1. anomaly_map: of anomaly maps, whose values are in [0, 1]."""

    score: float
    anomaly_map: float


EXACT = Tolerance(1e-3, 1e-3)
"""Of graphs in single precision, which differ by rounding."""
HALF = Tolerance(0.05, 0.05)
"""Of graphs whose weights are kept in 16 bits."""


@dataclass(frozen=True)
class Agreement:
    """Largest differences over `images` images. decisions, p_values: how many differ that are not
    where they change: decisions within `EXACT` of the threshold, p-values within `allowed`.
    at_threshold: decisions that differ there."""

    images: int
    score: float
    anomaly_map: float
    decisions: int
    p_values: int
    at_threshold: int = 0
    allowed: Tolerance = EXACT

    @property
    def agrees(self) -> bool:
        """False also where a difference is no number."""
        return self.score <= self.allowed.score and self.anomaly_map <= self.allowed.anomaly_map \
            and not self.decisions and not self.p_values

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "allowed": self.allowed._asdict()}


def compare(detector: Any, other: Any, images: Sequence[np.ndarray],
            allowed: Tolerance = EXACT) -> Agreement:
    """Both detectors' predictions side by side; `detector` is a hdm.HDM."""
    score = anomaly_map = 0.0
    decisions = p_values = at_threshold = 0
    for start in range(0, len(images), BATCH):
        part = images[start:start + BATCH]
        for one, two in zip(detector.predict(part), other.predict(part), strict=True):
            size = max(1.0, abs(one.score))
            slack = allowed.score * size
            # np.maximum, as max() of a NaN depends on the order.
            score = float(np.maximum(score, abs(one.score - two.score) / size))
            anomaly_map = float(np.maximum(
                anomaly_map, np.abs(one.anomaly_map - two.anomaly_map).max()))
            near = abs(one.score - one.threshold) <= EXACT.score * size
            decisions += one.decision != two.decision and not near
            at_threshold += one.decision != two.decision and near
            highest, lowest = (detector.calibration.p_value(one.score + step)
                               for step in (-slack, slack))
            p_values += not lowest - 1e-6 <= two.p_value <= highest + 1e-6
    return Agreement(len(images), score, anomaly_map, decisions, p_values, at_threshold, allowed)


def refusal(found: Agreement) -> HDMError:
    """Why the export was refused."""
    return HDMError(
        f"the exported model does not say what the detector says on {found.images} images: scores "
        f"differ by up to {found.score:.2g} (allowed {found.allowed.score:g}), anomaly maps by "
        f"{found.anomaly_map:.2g} (allowed {found.allowed.anomaly_map:g}), {found.decisions} "
        f"decisions and {found.p_values} p-values are others; nothing was written, use the torch "
        "backend.")
