"""Is the false-alarm rate of good test images what the threshold states?"""

import math
from collections.abc import Iterator

from scipy.stats import betabinom, binom

from benchmarks.quality.results import Row

INTERVAL = 0.95


def judged(rows: list[Row]) -> Iterator[tuple[bool, float]]:
    """For each stated rate of each row: whether the measured one lies within the binomial 95 %
    interval, and how probable that is when test and calibration images are exchangeable."""
    for row in rows:
        calibration, test = row["calibration_normals"], row["test_normals"]
        for stated, measured in row["false_alarm_rates"].items():
            low, high = binom.interval(INTERVAL, test, float(stated))
            yield (bool(low <= round(measured * test) <= high),
                   chance(calibration, test, float(stated), int(low), int(high)))


def chance(calibration: int, test: int, stated: float, low: int, high: int) -> float:
    """P(low <= alarms <= high) among `test` images exchangeable with the `calibration` images.

    The threshold is the k-th smallest of n calibration scores, k = ceil((n + 1)(1 - stated)), so
    the true rate of alarms is Beta(n + 1 - k, k) and their number beta-binomial (Vovk 2012): the
    spread of the threshold itself comes on top of the binomial one. No k-th score, no alarms.
    """
    rank = math.ceil((calibration + 1) * (1 - stated))
    if rank > calibration:
        return float(low <= 0)
    alarms = betabinom(test, calibration + 1 - rank, rank)
    return float(alarms.cdf(high) - alarms.cdf(low - 1))
