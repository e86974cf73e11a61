"""What a threshold promises, in one sentence: predict, results and the report say the same."""

import math

from hdm.detector.conformal import LIKELY
from hdm.detector.operating_point import OperatingPoint


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


def needed(rate: float) -> int:
    """How many good parts can promise a rate of false alarms: 1 / (n + 1) <= rate."""
    return max(1, math.ceil(1 / rate - 1e-9) - 1)


def _counted(parts: int) -> str:
    return "1 held-out good part" if parts == 1 else f"{parts:,} held-out good parts"


def _percent(rate: float) -> str:
    """0.051 as '5.1 %'."""
    return f"{rate * 100:.1f}".removesuffix(".0") + " %"
