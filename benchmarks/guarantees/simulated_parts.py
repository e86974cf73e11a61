"""Good parts of which each has several pictures that are more or less alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

COVERAGE, SURE = 0.95, 0.9995
"""Of the intervals that are shown, and of those by which something is said not to hold: of some
hundred figures none may fail by chance alone."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


def drawn(random: np.random.Generator, parts: int, pictures: int, alike: float, figures: int = 1
          ) -> NDArray[np.float64]:
    """(figures, parts, pictures) standard normal; `alike` is the correlation within a part."""
    own = random.standard_normal((figures, parts, pictures))
    return alike**0.5 * random.standard_normal((figures, parts, 1)) + (1 - alike)**0.5 * own


def part_rate(limit: float, pictures: int, alike: float) -> float:
    """True share of good parts that have a picture above `limit`."""
    if alike == 1:
        return float(ndtr(-limit))
    below = ndtr((limit - alike**0.5 * _NODES) / (1 - alike)**0.5)**pictures
    return float(1 - below @ _WEIGHTS / _WEIGHTS.sum())


def mean_row(values: Sequence[float]) -> dict[str, float]:
    """Mean with its intervals."""
    mean, error = float(np.mean(values)), float(np.std(values) / len(values)**0.5)
    usual, sure = (-float(ndtri((1 - share) / 2)) * error for share in (COVERAGE, SURE))
    return {"true": mean, "low": mean - usual, "high": mean + usual, "lowest": mean - sure,
            "highest": mean + sure}


def share_row(hits: int, runs: int) -> dict[str, float]:
    """Share with its intervals (Clopper and Pearson 1934)."""
    usual, sure = (binomtest(int(hits), runs).proportion_ci(share) for share in (COVERAGE, SURE))
    return {"true": hits / runs, "low": float(usual.low), "high": float(usual.high),
            "lowest": float(sure.low), "highest": float(sure.high)}


def row(case: str, figure: str, said: float, found: dict[str, float], runs: int, *,
        at_least: bool = False, before: bool = False) -> dict[str, Any]:
    """One line of the results. at_least: what is said is a lower limit, not an upper one. before:
    what an earlier rule would have given; it need not hold. It holds if chance explains the rest.
    """
    holds = found["highest"] >= said if at_least else found["lowest"] <= said
    return {"case": case, "figure": figure, "said": said, **found, "runs": runs,
            "holds": None if before else bool(holds)}
