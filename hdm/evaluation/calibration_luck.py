"""How much of a cost at the operating point is luck: the threshold was read from a few images.

Two detectors that are equally good get different thresholds from a small calibration, and so
different costs. What a new calibration would change belongs to the uncertainty of a comparison.
"""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdm.detector.operating_point import expected_cost


def calibration_luck(held_out: tuple[float, ...], scores: NDArray[np.float64],
                     defective: NDArray[np.bool_], threshold: float,
                     costs: tuple[float, float, float], resamples: int) -> NDArray[np.float64]:
    """Deviations of the cost from its mean when the threshold is set again, (R,).

    held_out: scores of the calibration images, of which the threshold is the k-th smallest; scores,
    defective: of the test split's parts, (P,). New calibrations are drawn from all good
    scores, as the held-out ones alone know none above their largest. Zeros without held-out images
    or without both classes.
    """
    count = len(held_out)
    if not count or defective.all() or not defective.any():
        return np.zeros(resamples)
    known = np.sort(np.asarray(held_out, dtype=np.float64))
    rank = int(np.clip(np.searchsorted(known, threshold, side="right"), 1, count))
    # Seeded by what was calibrated: another threshold of the same model gets the same draws.
    random = np.random.default_rng(zlib.crc32(known.tobytes()))
    good = np.concatenate([known, scores[~defective & np.isfinite(scores)]])
    limits = np.partition(random.choice(good, (resamples, count)), rank - 1, axis=1)[:, rank - 1]
    cost: Any = expected_cost(1 - _above(scores[defective], limits),
                              _above(scores[~defective], limits), *costs)
    return cost - cost.mean()


def _above(scores: NDArray[np.float64], limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the scores above each limit."""
    return 1 - np.searchsorted(np.sort(scores), limits, side="right") / len(scores)
