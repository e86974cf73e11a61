"""Two detectors on the same test images: differences with paired bounds.

Both are resampled with the same groups at once, so what makes an image hard for both cancels out.
"""

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
from hdm.evaluation.collected import Collected

EVEN = (1.0, 1.0, 0.5)
"""Escape cost, false-reject cost and defect rate where none are stated: the balanced error."""
SAVING = "cost"


class Difference(NamedTuple):
    """One metric of two detectors; larger `difference` is better for ours, also of costs.

    ours, theirs: the values. low, high: one-sided bounds of the difference, which hold for all
    metrics at once at the stated confidence. defect_type: empty for all images.
    """

    metric: str
    ours: float
    theirs: float
    difference: float
    low: float
    high: float
    defect_type: str = ""


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
    weights = np.concatenate([np.ones((1, weights.shape[1])), weights])
    ours_all, theirs_all = (dict(_samples(seen, weights, costs or EVEN)) for seen in (ours, theirs))
    # Shared among the metrics (Bonferroni): three chances to look better must not be three times
    # the chance to be so by luck.
    miss = (1 - confidence) / sum(not kind for _, kind in ours_all)
    found = []
    for (metric, kind), mine in ours_all.items():
        other = theirs_all[metric, kind]
        sign = -1.0 if metric == SAVING else 1.0
        gain = sign * (mine - other)
        sampled = gain[1:][np.isfinite(gain[1:])]
        if np.isfinite(gain[0]) and len(sampled) >= resamples / 2:
            low, high = np.quantile(sampled, [miss, 1 - miss])
            found.append(Difference(metric, float(mine[0]), float(other[0]), float(gain[0]),
                                    float(low), float(high), kind))
    return tuple(found)


def _samples(seen: Collected, weights: Weights, costs: tuple[float, float, float]
             ) -> Iterator[tuple[tuple[str, str], NDArray[np.float64]]]:
    """((metric, defect type), values) for each resample."""
    truth = np.array([bool(row["label"]) for row in seen.rows])
    scores = np.array([row["score"] for row in seen.rows], dtype=np.float64)
    called = np.array([row["decision"] != "good" for row in seen.rows])
    kinds = np.array([str(row["defect_type"]) for row in seen.rows])
    yield ("image_auroc", ""), auroc_samples(weights, truth, scores)
    if seen.histograms.defect:
        yield ("pixel_auroc", ""), seen.histograms.resampled(weights).auroc()
    decided = decision_samples(weights, truth, called)
    yield (SAVING, ""), expected_cost(1 - decided["recall"], decided["false_alarm_rate"], *costs)
    for kind in sorted(set(kinds) - {GOOD}):
        among = np.isin(kinds, (GOOD, kind))
        yield ("image_auroc", kind), auroc_samples(weights[:, among], truth[among], scores[among])
