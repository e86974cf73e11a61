"""A threshold for a stated rate of false alarms: the rate that is said, and the true one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr

from benchmarks.guarantees.simulated_parts import drawn, mean_row, part_rate, row, share_row
from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.detector.conformal import LIKELY, conformal_threshold
from hdm.detector.operating_point import choose
from hdm.model_settings import ThresholdRule

TITLE = "Stated rates"
STATED = 0.05
PARTS, PICTURES, ALIKE = (10, 27, 100), (1, 2, 4, 8), (0.0, 0.25, 0.5, 0.75, 1.0)


def simulate(runs: int) -> list[dict[str, Any]]:
    """Rows of each number of parts, of pictures a part, and correlation within a part."""
    return [found for parts in PARTS for pictures in PICTURES
            for alike in (ALIKE if pictures > 1 else ALIKE[:1])
            for found in _case(parts, pictures, alike, runs)]


def calibration(scores: np.ndarray, synthetic: Sequence[float] = ()) -> Calibration:
    """Of scores (parts, pictures) of good parts, and of synthetic defects."""
    order = np.argsort(scores.ravel(), kind="stable")
    groups = np.repeat(np.arange(len(scores)), scores.shape[1])[order]
    return Calibration(tuple(scores.ravel()[order].tolist()),
                       (Appearance(0.0, 0.0, 0.0),) * scores.size,
                       tuple(sorted(synthetic)), (1.0, 0.0), (1.0, 0.0),
                       tuple(groups.tolist()))


def _case(parts: int, pictures: int, alike: float, runs: int) -> list[dict[str, Any]]:
    random = np.random.default_rng([parts, pictures, round(100 * alike)])
    rates, single, said, likely, before = [], [], [], 0, []
    for _ in range(runs):
        scores = drawn(random, parts, pictures, alike)[0]
        point = choose(calibration(scores), ThresholdRule(false_alarm_rate=STATED))
        rates.append(part_rate(point.threshold, pictures, alike))
        single.append(float(ndtr(-point.threshold)))
        said.append(point.picture_rate or 0.0)
        likely += rates[-1] <= (point.likely_rate or 0.0)
        old, _ = conformal_threshold(scores.ravel(), STATED)
        before.append(part_rate(old, pictures, alike))
    promised = max(STATED, point.promised_rate or 0.0)
    case = f"{parts} parts of {pictures}, correlation {alike:g}"
    return [
        row(case, "parts with a false alarm", promised, mean_row(rates), runs),
        row(case, "pictures with a false alarm", float(np.mean(said)), mean_row(single), runs),
        row(case, "lines below the likely rate", LIKELY, share_row(likely, runs), runs,
            at_least=True),
        row(case, "before: each picture its own part", STATED, mean_row(before), runs, before=True)]
