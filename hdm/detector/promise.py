"""What a threshold promises, in one sentence: predict, results and the report say the same."""

import math

import numpy as np

from hdm.detector.calibration import Calibration
from hdm.detector.conformal import LIKELY
from hdm.detector.operating_point import OperatingPoint

RELIEF = 0.1
"""By how much the share of escapes must fall without one part for it to be worth a look."""


def promise(point: OperatingPoint) -> str:
    """What is promised of false alarms, and what is not."""
    lines = f"on {_percent(LIKELY)} of lines below {_percent(point.likely_rate)}"
    stated, parts = _percent(point.false_alarm_rate), _counted(point.parts)
    if point.basis == "cost" or point.promised_rate is None:
        return (f"Expected are false alarms on {stated} of good parts, {lines}; nothing is "
                f"promised of a threshold that is the cheapest of those of {parts}.")
    if point.certified:
        return (f"Promised are false alarms on at most {stated} of good parts, by {parts}: that is "
                f"the average over lines, {lines}.")
    return (f"{parts} cannot promise false alarms on at most {stated} of good parts: the smallest "
            f"rate that can be promised is {_percent(point.promised_rate)}, and the threshold "
            f"stands there; {lines}. {needed(point.false_alarm_rate)} parts can promise {stated}.")


def stands_on_one(calibration: Calibration, point: OperatingPoint) -> str:
    """What to look at where one held-out part alone holds the threshold up, "" where none does: it
    is that part's score, and at the next lower one at least `RELIEF` fewer of the synthetic defects
    would escape."""
    scores, synthetic = calibration.part_scores, np.asarray(calibration.synthetic_scores)
    if len(scores) < 2 or point.threshold != scores[-1] or not len(synthetic):
        return ""
    now, then = ((synthetic <= limit).mean() for limit in (scores[-1], scores[-2]))
    if now - then < RELIEF:
        return ""
    name = calibration.groups[int(np.argmax(calibration.normal_scores))] \
        if calibration.groups else ""
    return (f"One held-out part alone holds the threshold up: {name or 'the oddest'} scores "
            f"{scores[-1]:.4g}, the next {scores[-2]:.4g}, where {_percent(then)} instead of "
            f"{_percent(now)} of the synthetic defects would escape. Look at its pictures: if it "
            "is defective, move it from the good ones to the defects; if it is good, more good "
            "parts tell how rare such a one is.")


def needed(rate: float) -> int:
    """How many good parts can promise a rate of false alarms: 1 / (n + 1) <= rate."""
    return max(1, math.ceil(1 / rate - 1e-9) - 1)


def _counted(parts: int) -> str:
    return "1 held-out good part" if parts == 1 else f"{parts:,} held-out good parts"


def _percent(rate: float) -> str:
    """0.051 as '5.1 %'."""
    return f"{rate * 100:.1f}".removesuffix(".0") + " %"
