"""Bootstrap intervals by group: images of one part go in and out of a resample together.

No metric is computed again for a resample: all are running sums, in order of the score, of how
often each image was drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.uint16]
"""(R, N): how often image n is in resample r; of a million images a gigabyte."""

_AT_ONCE = 16  # resamples whose running sums are held together
_NEEDED = 0.5  # share of the resamples that must define the metric


@dataclass(frozen=True)
class Interval:
    """A percentile interval, or None twice and the reason."""

    low: float | None
    high: float | None
    reason: str = ""


def group_weights(groups: list[str], resamples: int, seed: int) -> Weights:
    """Draw as many groups as there are, with replacement, `resamples` times."""
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    count = int(member.max()) + 1
    random = np.random.default_rng(seed)
    weights = np.empty((resamples, len(member)), dtype=np.uint16)
    for start in range(0, resamples, _AT_ONCE):
        some = weights[start:start + _AT_ONCE]
        some[:] = random.multinomial(count, np.full(count, 1 / count), size=len(some))[:, member]
    return weights


def interval(samples: NDArray[np.float64], coverage: float, groups: int) -> Interval:
    """Percentiles of `samples` (R,), in which NaN marks a resample without a value."""
    if groups < 2:
        return Interval(None, None, "all test images are of one group")
    there = samples[np.isfinite(samples)]
    if len(there) < _NEEDED * len(samples):
        return Interval(None, None, "too few resamples contain both good and defective images")
    low, high = np.quantile(there, [(1 - coverage) / 2, (1 + coverage) / 2])
    return Interval(float(low), float(high))


def auroc_samples(weights: Weights, truth: NDArray[np.bool_],
                  scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Image AUROC of every resample (R,); NaN where a class is missing."""
    order = np.argsort(scores, kind="stable")
    ranked, wrong = scores[order], truth[order]
    below, upto = (np.searchsorted(ranked, ranked[wrong], side) for side in ("left", "right"))
    won = np.empty(len(weights))
    for start in range(0, len(weights), _AT_ONCE):
        drawn = weights[start:start + _AT_ONCE, order]
        good = np.cumsum(np.pad(drawn * ~wrong, ((0, 0), (1, 0))), axis=1)
        # Halves of whole numbers: no sum is rounded, whatever its order.
        won[start:start + _AT_ONCE] = (drawn[:, wrong] * (good[:, below] + good[:, upto])).sum(1)
    return divide(won / 2, weights[:, truth].sum(1) * weights[:, ~truth].sum(1))


def ap_samples(weights: Weights, truth: NDArray[np.bool_],
               scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average precision of every resample (R,); NaN where a class is missing."""
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    found = np.empty(len(weights))
    for start in range(0, len(weights), _AT_ONCE):
        drawn = weights[start:start + _AT_ONCE, order].astype(np.float64)
        hits = np.cumsum(drawn * truth[order], axis=1)
        called = np.cumsum(drawn, axis=1)
        total, every = hits[:, -1], called[:, -1]
        hits, called = hits[:, last_of_tie], called[:, last_of_tie]
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        area = (np.diff(hits, axis=1, prepend=0) * precision).sum(1)
        found[start:start + _AT_ONCE] = np.where(total < every, divide(area, total), np.nan)
    return found


def decision_samples(weights: Weights, truth: NDArray[np.bool_],
                     called: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """F1, recall and false-alarm rate at the threshold of every resample, each (R,)."""
    caught = weights[:, truth & called].sum(1)
    alarms = weights[:, ~truth & called].sum(1)
    defects, good = weights[:, truth].sum(1), weights[:, ~truth].sum(1)
    return {"image_f1": np.where(defects > 0, divide(2 * caught, caught + defects + alarms),
                                 np.nan),
            "recall": divide(caught, defects), "false_alarm_rate": divide(alarms, good)}


def divide(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """`part` / `whole`, NaN where `whole` is 0."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
