"""Thresholds, p-values and probabilities against closed forms."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration
from hdm.pom.discrimination.calibration_fit import calibrate, fit_platt

LOOK = Appearance(0.1, 0.2, 0.3)
SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=80)


def of(scores, **over):
    fields = {"synthetic_scores": (), "pixel": (1.0, 0.0), "image": (1.0, 0.0), **over}
    return Calibration(tuple(sorted(scores)), (LOOK,) * len(scores), **fields)


def test_p_values_count_the_normals_at_or_above():
    calibration = of([1.0, 2.0, 2.0, 3.0])
    expected = {0.0: 1.0, 1.0: 1.0, 1.5: 0.8, 2.0: 0.8, 2.5: 0.4, 3.0: 0.4, 3.1: 0.2}
    assert {s: calibration.p_value(s) for s in expected} == pytest.approx(expected)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(scores=SCORES, a=st.floats(-60, 60), b=st.floats(-60, 60))
def test_p_value_falls_as_the_score_rises(scores, a, b):
    calibration = of(scores)
    low, high = sorted((a, b))
    assert calibration.p_value(low) >= calibration.p_value(high)
    assert calibration.probability(low) <= calibration.probability(high)


def test_p_values_of_normals_are_uniform():
    rng = np.random.default_rng(0)
    p = np.array([of(rng.normal(size=19)).p_value(rng.normal()) for _ in range(4000)])
    for share in (0.05, 0.25, 0.5, 0.9):
        assert np.mean(p <= share + 1e-9) == pytest.approx(share, abs=0.035)


def test_round_trip_through_json_is_exact():
    calibration = of([0.1, 1 / 3, 2.0], synthetic_scores=(0.5,), pixel=(0.3, -1.7),
                     image=(1e-3, 5.0))
    assert Calibration.from_dict(json.loads(json.dumps(calibration.as_dict()))) == calibration


def test_platt_golden_values():
    """Two scores, three to one odds either way: the slope is log 3 and the bias 0."""
    scores = np.array([1.0] * 40 + [-1.0] * 40)
    labels = np.array([1] * 30 + [0] * 10 + [1] * 10 + [0] * 30)
    slope, bias = fit_platt(scores, labels)
    assert slope == pytest.approx(math.log(3), rel=0.01) and bias == pytest.approx(0, abs=0.01)


def test_platt_finds_the_logistic_that_made_the_labels():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, 20_000)
    labels = rng.random(20_000) < expit(1.3 * scores)
    slope, bias = fit_platt(scores, labels)
    assert slope == pytest.approx(1.3, rel=0.06) and bias == pytest.approx(0, abs=0.1)


def test_platt_puts_classes_at_even_odds():
    """A hundred good scores and one of a defect weigh alike."""
    rng = np.random.default_rng(0)
    few = fit_platt(np.r_[rng.normal(-1, 1, 4000), np.full(4, 1.0)], np.r_[np.zeros(4000), [1] * 4])
    many = fit_platt(np.r_[rng.normal(-1, 1, 4000), np.full(4000, 1.0)],
                     np.r_[np.zeros(4000), np.ones(4000)])
    for score in (-1, 0, 1):
        assert expit(few[0] * score + few[1]) == pytest.approx(expit(many[0] * score + many[1]),
                                                               abs=0.03)


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (0.01, 5.0), (1000.0, -2e4)])
def test_platt_does_not_mind_units(scale, shift):
    rng = np.random.default_rng(2)
    scores = np.r_[rng.normal(0, 1, 200), rng.normal(1.5, 1, 100)]
    labels = np.r_[np.zeros(200), np.ones(100)]
    a, b = fit_platt(scores, labels), fit_platt(scale * scores + shift, labels)
    np.testing.assert_allclose(expit(b[0] * (scale * scores + shift) + b[1]),
                               expit(a[0] * scores + a[1]), atol=1e-3)


def test_platt_weights_are_repetitions():
    scores, labels = np.array([-1.0, 0.5, 0.2, 2.0]), np.array([0, 0, 1, 1])
    weighted = fit_platt(scores, labels, np.array([1, 3, 2, 1]))
    # Repetition moves median and spread, which only condition the fit.
    repeated = fit_platt(np.repeat(scores, [1, 3, 2, 1]), np.repeat(labels, [1, 3, 2, 1]))
    assert weighted == pytest.approx(repeated, rel=0.1, abs=0.05)


def test_platt_never_turns_the_order_round():
    slope, bias = fit_platt(np.array([3.0, 2.0, 1.0, 0.0]), np.array([0, 0, 1, 1]))
    assert slope > 0 and math.isfinite(bias)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_platt_with_one_class_is_the_plain_sigmoid(labels):
    assert fit_platt(np.array([0.0, 1.0, 2.0]), np.array(labels)) == (1.0, 0.0)


def test_platt_of_separable_and_of_constant_scores_is_finite():
    for scores in ([-9.0, -8.0, 8.0, 9.0], [1.0, 1.0, 1.0, 1.0]):
        slope, bias = fit_platt(np.array(scores), np.array([0, 0, 1, 1]))
        assert math.isfinite(slope) and math.isfinite(bias)
        assert np.all(np.diff(expit(slope * np.array(scores) + bias)) >= 0)


def test_calibrate_fits_all_parts():
    rng = np.random.default_rng(0)
    normal, synthetic = rng.normal(-3, 1, 39), rng.normal(3, 1, 50)
    logits = np.r_[rng.normal(-4, 1, 500), rng.normal(4, 1, 50)]
    labels = np.r_[np.zeros(500), np.ones(50)]
    looks = [Appearance(score, 0.0, 0.0) for score in normal]
    found = calibrate(normal, looks, synthetic, logits, labels)
    assert list(found.normal_scores) == sorted(normal)
    assert [look.brightness for look in found.appearance] == sorted(normal)
    assert list(found.synthetic_scores) == sorted(synthetic)
    assert found.smallest_rate == 1 / 40
    assert found.probability(-3) < 0.1 < 0.9 < found.probability(3)
    assert expit(found.pixel[0] * 4 + found.pixel[1]) > 0.9


def test_calibrate_without_synthetic_defects():
    found = calibrate(np.array([0.0, 1.0]), [LOOK, LOOK], np.empty(0), np.array([0.0]),
                      np.array([0.0]))
    assert found.image == (1.0, 0.0) and found.synthetic_scores == ()
