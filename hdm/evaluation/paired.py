"""Two detectors on the same test images: differences with paired, simultaneous bounds.

Both are resampled with the same parts at once, so what makes a part hard for both cancels out. The
bounds are shared out among what is compared (Bonferroni): ten chances to look worse must not be
ten times the chance to be so by luck.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hdm.dataset.manifest import GOOD
from hdm.detector.operating_point import expected_cost
from hdm.errors import HDMError
from hdm.evaluation.bootstrap import (
    Weights,
    auroc_samples,
    decision_samples,
    group_weights,
)
from hdm.evaluation.calibration_luck import calibration_luck
from hdm.evaluation.collected import Collected
from hdm.evaluation.stopped_parts import PASSED, UNDECIDABLE, any_of

EVEN = (1.0, 1.0, 0.5)
"""Escape cost, false-reject cost and defect rate where none are stated: the balanced error."""
SAVING = "cost"


class Difference(NamedTuple):
    """One metric of two detectors; larger `difference` is better for ours, also of costs.

    ours, theirs: the values. low, high: bounds of the difference at the stated confidence. All
    upper ones hold at once, and so do all lower ones of overall metrics. defect_type: empty for
    all images. parts: of the rarer class; with too few of them nothing is told, and the bounds are
    those of the metric itself.
    """

    metric: str
    ours: float
    theirs: float
    difference: float
    low: float
    high: float
    defect_type: str = ""
    parts: int = 0


class _Sampled(NamedTuple):
    """Values of a metric for each resample (R,), the first of them the split itself; parts of the
    rarer class; the largest difference that two detectors can have."""

    values: NDArray[np.float64]
    parts: int
    widest: float


def differences(ours: Collected, theirs: Collected, *, confidence: float, resamples: int,
                seed: int, costs: tuple[float, float, float] | None = None
                ) -> tuple[Difference, ...]:
    """Image AUROC, pixel AUROC, cost at the operating point, and image AUROC by defect type.

    What the test images do not define is left out. `costs` is (escape, false reject, defect rate).
    Raises HDMError if the two did not see the same images.
    """
    if [row["path"] for row in ours.rows] != [row["path"] for row in theirs.rows]:
        raise HDMError("expected two detectors on the same test images, received different ones; "
                       "score both again.")
    weights = group_weights([str(row["group"]) for row in ours.rows], resamples, seed)
    # The first row is the test split itself: its value is the estimate.
    weights = np.concatenate([np.ones_like(weights[:1]), weights])
    ours_all, theirs_all = (dict(_samples(seen, weights, costs or EVEN)) for seen in (ours, theirs))
    gains = {key: (-1.0 if key[0] == SAVING else 1.0) * (mine.values - theirs_all[key].values)
             for key, mine in ours_all.items()}
    told = {key: gain for key, gain in gains.items() if np.isfinite(gain[0])}
    overall = sum(not kind for _, kind in told)
    found = []
    for (metric, kind), gain in told.items():
        mine, other = ours_all[metric, kind], theirs_all[metric, kind]
        # Whatever is compared may refuse a model, only an overall metric promotes one.
        low = bound(gain[1:], (1 - confidence) / (len(told) if kind else overall), mine, lower=True)
        high = bound(gain[1:], (1 - confidence) / len(told), mine, lower=False)
        found.append(Difference(metric, float(mine.values[0]), float(other.values[0]),
                                float(gain[0]), low, high, kind, mine.parts))
    return tuple(found)


def bound(gains: NDArray[np.float64], miss: float, sampled: _Sampled, *, lower: bool) -> float:
    """One-sided bootstrap bound that is wrong with probability `miss`.

    A bootstrap of few parts is too sure: a single part that got worse is worse in every resample.
    By the sign test k parts that all agree happen by chance with 2^-k, so with fewer than
    log2(1/miss) there is no bound but the metric's own.
    """
    there = gains[np.isfinite(gains)]
    if sampled.parts < math.log2(1 / miss) or len(there) < len(gains) / 2:
        return -sampled.widest if lower else sampled.widest
    return float(np.quantile(there, miss if lower else 1 - miss))


def _samples(seen: Collected, weights: Weights, costs: tuple[float, float, float]
             ) -> Iterator[tuple[tuple[str, str], _Sampled]]:
    """((metric, defect type), values)."""
    truth = np.array([bool(row["label"]) for row in seen.rows])
    scores = np.array([row["score"] for row in seen.rows], dtype=np.float64)
    stopped = np.array([row["decision"] != PASSED for row in seen.rows])
    kinds = np.array([str(row["defect_type"]) for row in seen.rows])
    _, first, part = np.unique([str(row["group"]) for row in seen.rows], return_index=True,
                               return_inverse=True)
    defective = any_of(truth, part)
    good, bad = int(any_of(~truth, part).sum()), int(defective.sum())
    yield ("image_auroc", ""), _Sampled(auroc_samples(weights, truth, scores), min(good, bad), 1.0)
    if seen.histograms.regions:
        masked = np.isin(np.arange(len(truth)), list(seen.histograms.regions))
        yield ("pixel_auroc", ""), _Sampled(seen.histograms.resampled(weights).auroc(),
                                            int(any_of(masked, part).sum()), 1.0)
    decided = decision_samples(weights[:, first], defective, any_of(stopped, part))
    cost = expected_cost(1 - decided["recall"], decided["false_alarm_rate"], *costs)
    cost[1:] += _luck(seen, part, defective, costs, len(cost) - 1)
    widest = max(expected_cost(1.0, 0.0, *costs), expected_cost(0.0, 1.0, *costs))
    yield (SAVING, ""), _Sampled(cost, min(bad, len(defective) - bad), widest)
    for kind in sorted(set(kinds) - {GOOD}):
        among = np.isin(kinds, (GOOD, kind))
        yield ("image_auroc", kind), _Sampled(
            auroc_samples(weights[:, among], truth[among], scores[among]),
            min(good, int(any_of(kinds == kind, part).sum())), 1.0)


def _luck(seen: Collected, part: NDArray[np.intp], defective: NDArray[np.bool_],
          costs: tuple[float, float, float], resamples: int) -> NDArray[np.float64]:
    """See `calibration_luck`; what is undecidable is stopped at any threshold."""
    scores = np.array([np.inf if row["decision"] == UNDECIDABLE else row["score"]
                       for row in seen.rows], dtype=np.float64)
    highest = np.full(len(defective), -np.inf)
    np.maximum.at(highest, part, scores)
    return calibration_luck(seen.held_out, highest, defective, seen.threshold, costs, resamples)
