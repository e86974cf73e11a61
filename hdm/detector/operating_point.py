"""The operating point: which threshold turns scores into decisions, and what it is expected to
cost. Chosen from held-out good images and synthetic defects alone, and changed without training."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hdm.detector.calibration import Calibration
from hdm.errors import ConfigError, HDMError
from hdm.files import read_json, write_json
from hdm.model_settings import ThresholdRule

if TYPE_CHECKING:
    import pandas as pd

OPERATING_POINT_FILE = "operating_point.json"


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what speaks for it.

    threshold: scores above it are called defects. false_alarm_rate: the share of good parts that
    the threshold was set for, stated or (basis "cost") expected. certified: whether the
    calibration normals are enough to certify it. escape_rate: share of the synthetic defects at
    or below the threshold, None without any. cost: expected cost a part, None with basis "rate".
    """

    threshold: float
    false_alarm_rate: float
    certified: bool
    basis: Literal["rate", "cost"]
    escape_rate: float | None
    cost: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "OperatingPoint":
        """The inverse of `as_dict`; raises HDMError if it is not."""
        try:
            point = cls(**content)
            if not math.isfinite(point.threshold):
                raise ValueError
        except (TypeError, ValueError):
            raise HDMError(f"expected an operating point, found {str(content)[:80]}; run the "
                           "evaluate stage again.") from None
        return point

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        write_json(file, self.as_dict())

    @classmethod
    def load(cls, file: Path) -> "OperatingPoint":
        """What `save` wrote; raises HDMError if it is not there or damaged."""
        return cls.from_dict(read_json(file))


def conformal_rank(n: int, rate: float) -> tuple[int, bool]:
    """Which of n exchangeable scores, counted from the smallest, is the limit that a new one
    exceeds with probability <= rate, and if that is certified.

    The ceil((n + 1)(1 - rate))-th (Vovk et al. 2005). Where n is too small for the rate, it is the
    largest and the rate is not certified. Raises ValueError without a score.
    """
    if n == 0:
        raise ValueError("no calibration normals: expected at least one score")
    rank = math.ceil((n + 1) * (1 - rate) - 1e-9)
    return min(rank, n), rank <= n


def conformal_threshold(normal_scores: np.ndarray, rate: float) -> tuple[float, bool]:
    """The limit that a new good part exceeds with probability <= rate, and if that is certified;
    see `conformal_rank`."""
    ordered = np.sort(np.asarray(normal_scores, dtype=float))
    rank, certified = conformal_rank(len(ordered), rate)
    return float(ordered[rank - 1]), certified


def choose(calibration: Calibration, rule: ThresholdRule) -> OperatingPoint:
    """The threshold for the stated rate, or the cheapest one where costs are stated.

    Raises ConfigError if costs are stated and there are no synthetic defects to expect escapes by.
    """
    if rule.costs is None:
        limit, certified = conformal_threshold(np.array(calibration.normal_scores),
                                               rule.false_alarm_rate)
        return OperatingPoint(limit, rule.false_alarm_rate, certified, "rate",
                              _escape_rate(calibration, limit), None)
    if not calibration.synthetic_scores:
        raise ConfigError("evaluate.operating_point states costs, but the line has no synthetic "
                          "defects on held-out images to expect escapes by; state "
                          "false_alarm_rate instead.")
    options = curve(calibration, rule)
    # The lowest of equally cheap thresholds: an escape is noticed last.
    best = options.loc[options["cost"].idxmin()]
    return OperatingPoint(float(best["threshold"]), float(best["false_alarm_rate"]), True, "cost",
                          float(best["escape_rate"]), float(best["cost"]))


def curve(calibration: Calibration, rule: ThresholdRule) -> "pd.DataFrame":
    """What each threshold is expected to do, ascending; one row a calibration normal.

    Columns: threshold; false_alarm_rate, (1 + #{s_i > t}) / (n + 1), as no fewer can be certified;
    escape_rate, NaN without synthetic defects; cost a part, NaN where no costs are stated.
    """
    # Late: 0.4 s of processor time that judging a picture does not need.
    import pandas as pd

    limits = np.unique(np.asarray(calibration.normal_scores, dtype=float))
    normals = np.sort(np.asarray(calibration.normal_scores, dtype=float))
    synthetic = np.sort(np.asarray(calibration.synthetic_scores, dtype=float))
    above = len(normals) - np.searchsorted(normals, limits, side="right")
    alarms = (1 + above) / (len(normals) + 1)
    escapes = np.searchsorted(synthetic, limits, side="right") / len(synthetic) \
        if len(synthetic) else np.full(len(limits), np.nan)
    costs = expected_cost(escapes, alarms, *rule.costs) if rule.costs else \
        np.full(len(limits), np.nan)
    return pd.DataFrame({"threshold": limits, "false_alarm_rate": alarms, "escape_rate": escapes,
                         "cost": costs})


def expected_cost(escape_rate: Any, false_alarm_rate: Any, escape_cost: float,
                  false_reject_cost: float, defect_rate: float) -> Any:
    """Expected cost a part: pi C_e P(escape) + (1 - pi) C_r P(false reject)."""
    return (defect_rate * escape_cost * escape_rate
            + (1 - defect_rate) * false_reject_cost * false_alarm_rate)


def _escape_rate(calibration: Calibration, limit: float) -> float | None:
    scores = np.asarray(calibration.synthetic_scores)
    return float((scores <= limit).mean()) if len(scores) else None
