"""False alarms by chance: closed forms, and the pipeline's own thresholds by simulation."""

import numpy as np
import pytest

from hdm.detector.conformal import conformal_threshold
from hdm.evaluation.false_alarm_law import false_alarms_by_chance


def test_one_calibration_image_lies_in_each_of_three_places_equally_often():
    law = false_alarms_by_chance(1, 2, 0.5)
    assert law.pmf([0, 1, 2]) == pytest.approx([1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize(("calibration", "rate", "mean"), [
    (60, 0.05, 40 * 3 / 61), (19, 0.05, 40 / 20), (99, 0.1, 40 * 10 / 100),
    (10, 0.05, 40 / 11)])  # too few to certify the rate: the largest score is the limit
def test_the_law_is_that_of_the_conformal_threshold(calibration, rate, mean):
    law = false_alarms_by_chance(calibration, 40, rate)
    assert law.mean() == pytest.approx(mean)
    scores = np.random.default_rng(0).random((20_000, calibration + 40))
    limits = np.array([conformal_threshold(one[:calibration], rate)[0] for one in scores])
    alarms = (scores[:, calibration:] > limits[:, None]).sum(1)
    found = [(alarms <= count).mean() for count in (0, 2, 5, 10)]
    assert law.cdf([0, 2, 5, 10]) == pytest.approx(found, abs=0.015)


def test_no_calibration_image_is_refused():
    with pytest.raises(ValueError, match="at least one score"):
        false_alarms_by_chance(0, 40, 0.05)
