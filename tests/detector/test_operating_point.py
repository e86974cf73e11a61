"""Thresholds against closed forms, and the cheapest one against a search over all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.detector.conformal import conformal_threshold
from hdm.detector.operating_point import (
    OperatingPoint,
    choose,
    curve,
    expected_cost,
)
from hdm.errors import ConfigError, HDMError
from hdm.model_settings import ThresholdRule

SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=80)
COSTS = {"escape_cost": 100.0, "false_reject_cost": 2.0, "defect_rate": 0.01}


def of(scores, synthetic=()):
    look = Appearance(0.0, 0.0, 0.0)
    return Calibration(tuple(sorted(scores)), (look,) * len(scores), tuple(sorted(synthetic)),
                       (1.0, 0.0), (1.0, 0.0))


@pytest.mark.parametrize(("n", "rate", "place", "certified"), [
    (19, 0.05, 19, True), (18, 0.05, 18, False), (20, 0.05, 20, True), (39, 0.05, 38, True),
    (99, 0.01, 99, True), (98, 0.01, 98, False), (100, 0.1, 91, True), (1, 0.5, 1, True),
    (1, 0.4, 1, False), (9, 0.1, 9, True), (999, 0.001, 999, True)])
def test_threshold_is_the_conformal_order_statistic(n, rate, place, certified):
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert conformal_threshold(scores, rate) == (place, certified)


def test_no_scores_is_refused():
    with pytest.raises(ValueError, match="at least one score"):
        conformal_threshold(np.array([]), 0.05)


@pytest.mark.parametrize(("n", "rate"), [(19, 0.05), (39, 0.05), (99, 0.05), (30, 0.2)])
def test_coverage_by_simulation(n, rate):
    """P(new > threshold) = (n + 1 - k) / (n + 1) exactly, k the rank; at most the stated rate."""
    rng = np.random.default_rng(1)
    alarms = np.mean([rng.normal() > conformal_threshold(rng.normal(size=n), rate)[0]
                      for _ in range(20_000)])
    rank = math.ceil((n + 1) * (1 - rate) - 1e-9)
    expected = (n + 1 - rank) / (n + 1)
    assert expected <= rate + 1e-12
    assert alarms == pytest.approx(expected, abs=4 * math.sqrt(rate / 20_000))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(scores=SCORES, rate=st.floats(0.005, 0.6), score=st.floats(-60, 60), at=st.integers(0, 79))
def test_decision_and_p_value_agree(scores, rate, score, at):
    """Where the rate is certified: above the threshold exactly if p <= rate."""
    calibration = of(scores)
    point = choose(calibration, ThresholdRule(false_alarm_rate=rate))
    for value in (score, scores[at % len(scores)]):
        p = calibration.p_value(value)
        assert calibration.smallest_rate <= p <= 1
        if point.certified:
            assert (value > point.threshold) == (p <= rate + 1e-9)


def test_cost_of_a_part_by_hand():
    """pi C_e P(escape) + (1 - pi) C_r P(false reject)."""
    assert expected_cost(0.1, 0.05, 100, 2, 0.01) == pytest.approx(0.01 * 10 + 0.99 * 0.1)


def test_cheapest_threshold_by_hand():
    """Normals 0..9, defects at 4.5, 8.5 and 20: escapes cost more the higher the threshold."""
    calibration = of(range(10), [4.5, 8.5, 20.0])
    found = curve(calibration, ThresholdRule(**COSTS))
    assert found["threshold"].tolist() == list(range(10))
    assert found["false_alarm_rate"].tolist() == pytest.approx([(10 - t) / 11 for t in range(10)])
    assert found["escape_rate"].tolist() == pytest.approx([0] * 5 + [1 / 3] * 4 + [2 / 3])
    point = choose(calibration, ThresholdRule(**COSTS))
    costs = 0.01 * 100 * found["escape_rate"] + 0.99 * 2 * found["false_alarm_rate"]
    assert point.cost == pytest.approx(expected_cost(point.escape_rate, point.false_alarm_rate,
                                                     100, 2, 0.01))
    assert point.threshold == found["threshold"][costs.idxmin()]
    assert point.basis == "cost"


def test_of_equally_cheap_thresholds_the_lowest_is_taken():
    """From 2 on each alarm that a higher threshold saves is paid for by an escape."""
    calibration = of(range(7), [2.5, 3.5, 4.5, 5.5, 9.0, 9.0, 9.0, 9.0])
    rule = ThresholdRule(escape_cost=1.0, false_reject_cost=1.0, defect_rate=0.5)
    assert (curve(calibration, rule)["cost"] * 16).tolist() == [7, 6, 5, 5, 5, 5, 5]
    assert choose(calibration, rule).threshold == 2


def test_dearer_escapes_lower_the_threshold():
    rng = np.random.default_rng(0)
    calibration = of(rng.normal(0, 1, 200), rng.normal(2, 1, 200))
    limits = [choose(calibration, ThresholdRule(**{**COSTS, "escape_cost": cost})).threshold
              for cost in (10.0, 100.0, 1000.0, 10_000.0)]
    assert limits == sorted(limits, reverse=True) and limits[0] > limits[-1]


def test_costs_need_synthetic_defects():
    with pytest.raises(ConfigError, match="state false_alarm_rate instead"):
        choose(of([1.0, 2.0]), ThresholdRule(**COSTS))


def test_costs_come_together():
    with pytest.raises(ValidationError, match="given together"):
        ThresholdRule(escape_cost=3.0)


def test_rate_without_costs():
    point = choose(of(range(19), [3.0, 30.0]), ThresholdRule(false_alarm_rate=0.05))
    # Of 19 parts none is above: the true rate is below x on 1 - (1 - x)^19 of lines.
    assert (point.threshold, point.false_alarm_rate, point.certified, point.basis,
            point.escape_rate, point.cost) == (18.0, 0.05, True, "rate", 0.5, None)
    assert (point.parts, point.promised_rate) == (19, pytest.approx(0.05))
    assert point.likely_rate == pytest.approx(1 - 0.1**(1 / 19))
    assert OperatingPoint.from_dict(point.as_dict()) == point


@pytest.mark.parametrize("content", [
    {}, {"threshold": 1.0}, {**choose(of([1.0]), ThresholdRule()).as_dict(), "more": 1},
    {**choose(of([1.0]), ThresholdRule()).as_dict(), "threshold": math.nan},
    {**choose(of([1.0]), ThresholdRule()).as_dict(), "threshold": "high"}])
def test_anything_else_is_refused(content):
    with pytest.raises(HDMError, match="expected an operating point"):
        OperatingPoint.from_dict(content)
