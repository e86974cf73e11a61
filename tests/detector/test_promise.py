"""What is said of a threshold is what stands behind it."""

import numpy as np
import pytest

from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import choose
from hdm.detector.promise import needed, promise, stands_on_one
from hdm.model_settings import ThresholdRule

COSTS = ThresholdRule(escape_cost=50, false_reject_cost=1, defect_rate=0.02)


def of(parts, pictures=1, synthetic=()):
    scores = np.sort(np.random.default_rng(0).standard_normal(parts * pictures))
    groups = tuple(np.random.default_rng(1).permutation(
        np.repeat(np.arange(parts), pictures)).tolist()) if pictures > 1 else ()
    return Calibration(tuple(scores.tolist()), (Appearance(0, 0, 0),) * len(scores),
                       tuple(synthetic), (1.0, 0.0), (1.0, 0.0), groups)


@pytest.mark.parametrize("pictures", [1, 3])
def test_enough_parts_promise_the_stated_rate(pictures):
    point = choose(of(27, pictures), ThresholdRule())
    assert point.certified and point.parts == 27
    assert promise(point) == (
        "Promised are false alarms on at most 5 % of good parts, by 27 held-out good parts: that "
        "is the average over lines, on 90 % of lines below 8.2 %.")


@pytest.mark.parametrize(("parts", "rate", "smallest", "more"), [
    (18, 0.05, "5.3 %", 19), (10, 0.05, "9.1 %", 19), (50, 0.01, "2 %", 99), (1, 0.1, "50 %", 9)])
def test_too_few_promise_the_smallest_rate_that_they_can(parts, rate, smallest, more):
    point = choose(of(parts), ThresholdRule(false_alarm_rate=rate))
    assert not point.certified
    assert point.promised_rate == pytest.approx(1 / (parts + 1))
    assert point.threshold == of(parts).normal_scores[-1]
    said = promise(point)
    assert f"the smallest rate that can be promised is {smallest}" in said
    assert f"{more} parts can promise" in said and needed(rate) == more
    assert choose(of(more), ThresholdRule(false_alarm_rate=rate)).certified


def test_many_pictures_of_few_parts_promise_no_more_than_the_parts():
    few, many = (choose(of(10, pictures), ThresholdRule()) for pictures in (1, 8))
    assert not many.certified and many.promised_rate == few.promised_rate
    assert choose(of(80), ThresholdRule()).certified


@pytest.mark.parametrize("parts", [1, 2, 30, 200])
def test_the_cheapest_threshold_is_never_certified(parts):
    point = choose(of(parts, synthetic=np.linspace(-1, 5, 30)), COSTS)
    assert not point.certified and point.promised_rate is None
    assert "nothing is promised" in promise(point)
    assert 0 < point.false_alarm_rate <= point.likely_rate <= 1


def test_the_expected_rate_of_the_cheapest_threshold_by_hand():
    """Normals 0, 1, 2; every escape is dear beyond 0.5, so that the lowest threshold is cheapest.

    Without 0 the cheapest is 1, which 0 does not exceed; without 1 and 2 it is 0, exceeded by both.
    """
    calibration = Calibration((0.0, 1.0, 2.0), (Appearance(0, 0, 0),) * 3, (0.5, 1.5),
                              (1.0, 0.0), (1.0, 0.0))
    rule = ThresholdRule(escape_cost=1000, false_reject_cost=1, defect_rate=0.5)
    point = choose(calibration, rule)
    assert point.threshold == 0 and point.false_alarm_rate == pytest.approx(2 / 3)


def normals(*scores, groups=(), synthetic=tuple(range(20))):
    return Calibration(scores, (Appearance(0, 0, 0),) * len(scores), synthetic, (1.0, 0.0),
                       (1.0, 0.0), groups)


@pytest.mark.parametrize("groups", [(), ("a", "a", "b", "cast_17")])
def test_one_part_that_costs_a_third_of_the_defects_is_named(groups):
    calibration = normals(0.0, 1.0, 2.6, 9.5, groups=groups)
    said = stands_on_one(calibration, choose(calibration, ThresholdRule()))
    assert f"{groups[-1] if groups else 'the oddest'} scores 9.5, the next 2.6" in said
    assert "15 % instead of 50 % of the synthetic defects" in said


@pytest.mark.parametrize("calibration", [
    normals(0.0, 1.0, 2.6, 3.5),  # as good as another
    normals(9.5), normals(0.0, 1.0, 9.5, synthetic=()),  # nothing to compare with
    normals(*range(40)),  # the threshold is below the largest
])
def test_no_part_is_named_without_need(calibration):
    assert stands_on_one(calibration, choose(calibration, ThresholdRule())) == ""
