"""How many false alarms chance alone raises at a threshold that was set on good images."""

from typing import Any

from scipy.stats import betabinom

from hdm.detector.conformal import conformal_rank


def false_alarms_by_chance(calibration: int, good: int, rate: float) -> Any:
    """The law of the number of false alarms (a frozen scipy distribution) among `good` images that
    are exchangeable with the `calibration` images on which the threshold was set for `rate`.

    With the k-th smallest of n calibration scores as the threshold, the true rate of alarms is
    Beta(n + 1 - k, k) and their number beta-binomial (Vovk 2012): the spread of the threshold
    itself comes on top of the binomial one. Raises ValueError without calibration images.
    """
    rank, _ = conformal_rank(calibration, rate)
    return betabinom(good, calibration + 1 - rank, rank)
