"""What held-out good parts promise of new ones: conformal prediction, with the part as the unit.

Pictures of one part are alike, so it is parts that count. Let S_g be the largest score of part
g's pictures. If n held-out parts and a new one are exchangeable (parts: each with as many pictures
as it has, and these as alike as they like), the rank of the new part's S among all n + 1 is
uniform, so

    P(any picture of the new part scores above the k-th smallest S_g) <= (n + 1 - k) / (n + 1)

(Vovk, Gammerman and Shafer 2005; with groups as units Dunn, Wasserman and Ramdas 2022). The scores
must not have been fitted on these parts: `hdm.dataset.held_out` sees to that. That is the average
over lines; the true rate of one line, given its n parts, is Beta(n + 1 - k, k) distributed where
scores have no ties (Vovk 2012), and stochastically below that where they have.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainccinv

LIKELY = 0.9
"""Share of lines that `likely_rate` and `rate_at_once` hold for."""
_DRAWS = 20_000


def part_scores(scores: ArrayLike, groups: Sequence[object] | None = None) -> NDArray[np.float64]:
    """The largest score of each part, ascending; groups: (n,) each score's part, None or empty if
    every one has its own."""
    values = np.asarray(scores, dtype=float)
    if not (groups is not None and len(groups)):
        return np.sort(values)
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    largest = np.full(int(member.max()) + 1, -np.inf)
    np.maximum.at(largest, member, values)
    return np.sort(largest)


def conformal_rank(n: int, rate: float) -> tuple[int, bool]:
    """Which of the scores of n exchangeable parts, counted from the smallest, is the limit that a
    new one exceeds with probability <= rate, and if so many can promise that.

    The ceil((n + 1)(1 - rate))-th. Where n is too small for the rate, it is the largest, which
    promises 1 / (n + 1). Raises ValueError without a score.
    """
    if n == 0:
        raise ValueError("no calibration normals: expected at least one score")
    rank = math.ceil((n + 1) * (1 - rate) - 1e-9)
    return min(rank, n), rank <= n


def conformal_threshold(normal_scores: ArrayLike, rate: float,
                        groups: Sequence[object] | None = None) -> tuple[float, bool]:
    """The limit that a new good part exceeds with probability <= rate, and if the parts can promise
    that; see `conformal_rank`, and `part_scores` for the arguments."""
    ordered = part_scores(normal_scores, groups)
    rank, enough = conformal_rank(len(ordered), rate)
    return float(ordered[rank - 1]), enough


def likely_rate(n: int, above: int) -> float:
    """What the true rate is below on `LIKELY` of all lines, where the threshold was fixed as the
    score with `above` of n parts above it, whatever the scores are."""
    return float(betainccinv(above + 1, n - above, 1 - LIKELY))


def rate_at_once(n: int, above: int) -> float:
    """The same for all thresholds at once, so for one that was chosen after looking at the scores.

    Bounds for all n thresholds, each of one level, which is such that all hold together on `LIKELY`
    of lines (equal local levels; Berk and Jones 1979, Owen 1995). Tighter than n bounds that share
    the doubt, or than one band of even width (Dvoretzky, Kiefer and Wolfowitz 1956).
    """
    return float(betainccinv(above + 1, n - above, _local_level(n)))


@lru_cache(maxsize=64)
def _local_level(n: int) -> float:
    """The level of each of n bounds. It follows from n alone; how often all bounds of a level hold
    is counted in random draws."""
    draws = min(_DRAWS, max(_DRAWS // 10, 100 * _DRAWS // n))
    tails = 1 - np.sort(np.random.default_rng(0).random((draws, n)), axis=1)
    above = n - np.arange(1, n + 1)
    low, high = (1 - LIKELY) / n, 1 - LIKELY  # shared among n bounds, and of one alone
    while high > 1.001 * low:
        level = math.sqrt(low * high)
        hold = float((tails <= betainccinv(above + 1, n - above, level)).all(axis=1).mean())
        low, high = (level, high) if hold >= LIKELY else (low, level)
    return low


def picture_rate(scores: ArrayLike, groups: Sequence[object] | None, limit: float) -> float:
    """Expected share of good pictures above `limit`, each part's pictures counting together as one:
    (1 + sum over parts of the share of their pictures above) / (n + 1).

    Hierarchical conformal prediction (Lee, Barber and Willett 2023), read at the threshold that
    holds for parts. No picture is above unless its part is, so what is promised of parts is of
    pictures, too.
    """
    above = np.asarray(scores, dtype=float) > limit
    if not (groups is not None and len(groups)):
        return float((1 + above.sum()) / (len(above) + 1))
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    shares = np.bincount(member, weights=above) / np.bincount(member)
    return float((1 + shares.sum()) / (len(shares) + 1))
