"""What each threshold that a line could have would do to the parts of its test set."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from hdm.evaluation.detection import Stopped
from hdm.evaluation.stopped_parts import PASSED, UNDECIDABLE, count_stopped
from hdm.home.version_files import VersionFiles

MOST = 200
"""Steps that a page offers; of more, every n-th."""


class OperatingStep(NamedTuple):
    """One threshold. rate: of false alarms that is promised there by held-out good parts. expected:
    share of the synthetic defects that would escape, None without any. good, defects, worst: what
    of the test set is stopped; worst: of the type of which least is."""

    threshold: float
    rate: float
    expected: float | None
    good: Stopped
    defects: Stopped
    worst: Stopped | None


def operating_steps(files: VersionFiles, coverage: float = 0.95) -> list[OperatingStep]:
    """From the highest threshold, which stops least, to the lowest.

    What is undecidable at the version's own threshold counts as stopped at each: lowering the
    threshold makes a defect of it at most.
    """
    curve = files.curve.sort_values("threshold", ascending=False)
    if len(curve) > MOST:
        curve = curve.iloc[np.unique(np.linspace(0, len(curve) - 1, MOST).round().astype(int))]
    scores = files.scores[["label", "defect_type", "group", "decision", "score"]]
    return [_step(row, scores, coverage) for row in curve.itertuples(index=False)]


def nearest(steps: list[OperatingStep], threshold: float) -> int:
    """The step that decides as the threshold does, or the next one that stops more."""
    return next((number for number, step in enumerate(steps)
                 if step.threshold <= threshold + 1e-9), len(steps) - 1)


def stated_rate(step: OperatingStep) -> float:
    """The rate of false alarms to state, so that this step's threshold is chosen.

    Rounded up: the rank of the threshold is that of the rate rounded down.
    """
    return min(float(np.ceil(step.rate * 1e4 - 1e-6) / 1e4), 0.9999)


def _step(row: "pd.Series", scores: pd.DataFrame, coverage: float) -> OperatingStep:
    unsure = scores["decision"] == UNDECIDABLE
    decided = np.where(unsure, UNDECIDABLE,
                       np.where(scores["score"] > row.threshold, "defect", PASSED))
    told = count_stopped(scores.assign(decision=decided).to_dict("records"), coverage)
    expected = None if pd.isna(row.escape_rate) else float(row.escape_rate)
    return OperatingStep(float(row.threshold), float(row.false_alarm_rate), expected, told.good,
                         told.defects, told.worst if len(told.types) > 1 else None)
