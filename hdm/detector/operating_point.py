"""The operating point: which threshold turns scores into decisions, and what it is expected to
cost. Chosen from held-out good images and synthetic defects alone, and changed without training."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hdm.detector.calibration import Calibration
from hdm.detector.conformal import conformal_rank, likely_rate, picture_rate, rate_at_once
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
    the threshold was set for, stated or (basis "cost") expected, by leaving each part out in turn.
    certified: whether a proof stands behind it (`hdm.detector.conformal`): of a stated rate, where
    there are parts enough; never of the cheapest threshold, which is chosen by looking.
    escape_rate: share of the synthetic defects at or below the threshold, None without any. cost:
    expected cost a part, None with basis "rate".

    parts: good parts that it was set on. promised_rate: the smallest rate of false alarms that is
    proven of this threshold, on average over lines; None with basis "cost". likely_rate: the true
    rate is below it on `LIKELY` of lines. picture_rate: expected share of good pictures above, at
    most.
    """

    threshold: float
    false_alarm_rate: float
    certified: bool
    basis: Literal["rate", "cost"]
    escape_rate: float | None
    cost: float | None
    parts: int
    promised_rate: float | None
    likely_rate: float
    picture_rate: float

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


def choose(calibration: Calibration, rule: ThresholdRule) -> OperatingPoint:
    """The threshold for the stated rate, or the cheapest one where costs are stated.

    Raises ConfigError if costs are stated and there are no synthetic defects to expect escapes by.
    """
    normals = calibration.part_scores
    if rule.costs is None:
        rank, enough = conformal_rank(len(normals), rule.false_alarm_rate)
        limit, above = float(normals[rank - 1]), len(normals) - rank
        return OperatingPoint(
            limit, rule.false_alarm_rate, enough, "rate", _escape_rate(calibration, limit), None,
            len(normals), (above + 1) / (len(normals) + 1), likely_rate(len(normals), above),
            picture_rate(calibration.normal_scores, calibration.groups, limit))
    if not calibration.synthetic_scores:
        raise ConfigError("evaluate.operating_point states costs, but the line has no synthetic "
                          "defects on held-out images to expect escapes by; state "
                          "false_alarm_rate instead.")
    options = curve(calibration, rule)
    # The lowest of equally cheap thresholds: an escape is noticed last.
    best = options.loc[options["cost"].idxmin()]
    limit, escapes = float(best["threshold"]), float(best["escape_rate"])
    alarms = _left_out_rate(calibration, rule.costs)
    return OperatingPoint(
        limit, alarms, False, "cost", escapes, float(expected_cost(escapes, alarms, *rule.costs)),
        len(normals), None, rate_at_once(len(normals), int((normals > limit).sum())),
        picture_rate(calibration.normal_scores, calibration.groups, limit))


def _left_out_rate(calibration: Calibration, costs: tuple[float, float, float]) -> float:
    """How often the cheapest threshold of all other parts is exceeded by the one left out.

    The cheapest threshold was chosen by what these parts show, so the share of them above it says
    too little of new ones. With one part it says nothing: then it is what one part can promise.
    """
    normals, count = calibration.part_scores, len(calibration.part_scores)
    if count < 2:
        return calibration.smallest_rate
    place = np.arange(count)
    # above[j, i]: parts above the i-th but the j-th, which is left out.
    above = (count - 1 - place)[None] - (place[:, None] > place[None])
    synthetic = np.sort(np.asarray(calibration.synthetic_scores, dtype=float))
    escapes = np.searchsorted(synthetic, normals, side="right") / len(synthetic)
    paid = expected_cost(escapes[None], (1 + above) / count, *costs)
    np.fill_diagonal(paid, np.inf)
    return float((normals > normals[paid.argmin(1)]).mean())


def curve(calibration: Calibration, rule: ThresholdRule) -> "pd.DataFrame":
    """What each threshold is expected to do, ascending; one row a good part.

    Columns: threshold; false_alarm_rate, (1 + #{S_g > t}) / (n + 1) of n parts, as no fewer can be
    promised; escape_rate, NaN without synthetic defects; cost a part, NaN where none are stated.
    """
    # Late: 0.4 s of processor time that judging a picture does not need.
    import pandas as pd

    normals = calibration.part_scores
    limits = np.unique(normals)
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
