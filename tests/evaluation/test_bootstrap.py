"""Bootstrap: each fast form against the plain metric, and intervals that cover."""

import time

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from hdm.evaluation.bootstrap import (
    ap_samples,
    auroc_samples,
    decision_samples,
    group_weights,
    interval,
)
from hdm.evaluation.pixel_bootstrap import BINS, ImageHistograms
from hdm.evaluation.pixels import LEVELS, PixelTally, aupro, pixel_ap, pixel_auroc


@pytest.fixture
def images():
    random = np.random.default_rng(3)
    truth = random.random(40) < 0.5
    scores = np.round(random.normal(size=40) + truth, 1)  # with ties
    weights = group_weights([str(n // 2) for n in range(40)], 30, seed=1)
    return truth, scores, weights


def test_a_group_is_drawn_as_one():
    weights = group_weights(["a", "a", "b", "c", "b"], 200, seed=0)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 2] == weights[:, 4]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()  # as many groups as there are


def test_draws_follow_the_seed():
    groups = [str(n) for n in range(9)]
    assert (group_weights(groups, 5, 7) == group_weights(groups, 5, 7)).all()
    assert (group_weights(groups, 5, 7) != group_weights(groups, 5, 8)).any()


def test_every_resample_equals_the_plain_metric(images):
    truth, scores, weights = images
    called = scores > 0.6
    auroc, ap = auroc_samples(weights, truth, scores), ap_samples(weights, truth, scores)
    decided = decision_samples(weights, truth, called)
    for n, weight in enumerate(weights):
        assert auroc[n] == pytest.approx(roc_auc_score(truth, scores, sample_weight=weight))
        assert ap[n] == pytest.approx(average_precision_score(truth, scores, sample_weight=weight))
        assert decided["image_f1"][n] == pytest.approx(
            f1_score(truth, called, sample_weight=weight))
        assert decided["recall"][n] == pytest.approx(
            np.average(called[truth], weights=weight[truth]))
        assert decided["false_alarm_rate"][n] == pytest.approx(
            np.average(called[~truth], weights=weight[~truth]))


def test_a_resample_without_a_class_is_left_out():
    truth, scores = np.array([True, False]), np.array([1.0, 0.0])
    weights = np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    assert np.isnan(auroc_samples(weights, truth, scores)).tolist() == [True, True, False]
    assert np.isnan(ap_samples(weights, truth, scores)).tolist() == [True, True, False]
    decided = decision_samples(weights, truth, np.array([True, False]))
    assert np.isnan(decided["image_f1"]).tolist() == [False, True, False]


def test_interval_is_the_percentiles():
    found = interval(np.arange(101.0), 0.9, groups=9)
    assert (found.low, found.high) == (pytest.approx(5), pytest.approx(95))


def test_interval_is_undefined_for_one_group_or_few_values():
    assert interval(np.arange(9.0), 0.9, groups=1).reason == "all test images are of one group"
    found = interval(np.array([np.nan, np.nan, np.nan, 1.0]), 0.9, groups=3)
    assert found.low is None
    assert "too few resamples" in found.reason


def test_intervals_cover_the_truth_as_often_as_they_say():
    # N(1, 1) against N(0, 1): the true AUROC is Phi(1 / sqrt 2) = 0.760.
    expected, covered = norm.cdf(1 / np.sqrt(2)), 0
    truth = np.repeat([False, True], 60)
    groups = [str(n) for n in range(120)]
    for seed in range(150):
        scores = np.random.default_rng(seed).normal(size=120) + truth
        found = interval(auroc_samples(group_weights(groups, 200, seed), truth, scores), 0.9, 120)
        covered += found.low <= expected <= found.high
    assert 0.82 < covered / 150 < 0.97  # 0.90 give or take three standard errors


def test_ignoring_groups_would_make_intervals_too_narrow():
    truth = np.repeat([False, True], 60)
    parts = np.random.default_rng(0).normal(size=20).repeat(6)  # six pictures of one part
    scores = parts + truth
    grouped = group_weights([str(n // 6) for n in range(120)], 300, 0)
    single = group_weights([str(n) for n in range(120)], 300, 0)
    spread = [np.std(auroc_samples(w, truth, scores)) for w in (grouped, single)]
    assert spread[0] > 1.5 * spread[1]


@pytest.fixture
def maps():
    random = np.random.default_rng(5)
    found = []
    for n in range(8):
        mask = np.zeros((16, 16), dtype=bool)
        mask[3:6, 2:9] = mask[9:11, 9:13] = n % 2 == 1
        # Levels at the lower ends of the bins: nothing is lost by the small histograms.
        bins = random.integers(0, BINS // 2, mask.shape) + 2000 * mask
        found.append(((bins * (LEVELS // BINS)).astype(np.uint16), mask if n % 2 else None))
    return found


def test_pixel_resamples_equal_the_plain_metrics(maps):
    histograms = ImageHistograms()
    for n, (levels, mask) in enumerate(maps):
        histograms.add(n, levels, mask)
    weights = group_weights([str(n) for n in range(8)], 12, seed=2)
    found = histograms.resampled(weights)
    auroc, ap, pro = found.auroc(), found.ap(), found.aupro(0.3)
    for n, weight in enumerate(weights.astype(int)):
        tally = PixelTally()
        for times, (levels, mask) in zip(weight, maps, strict=True):
            for _ in range(times):
                tally.add(levels, mask)
        assert auroc[n] == pytest.approx(pixel_auroc(tally).value, abs=1e-12)
        assert ap[n] == pytest.approx(pixel_ap(tally).value, abs=1e-12)
        assert pro[n] == pytest.approx(aupro(tally, 0.3).value, abs=1e-6)


def test_pixel_resamples_of_some_images_only(maps):
    histograms, tally = ImageHistograms(), PixelTally()
    for n, (levels, mask) in enumerate(maps):
        histograms.add(n, levels, mask)
        if n in (0, 2, 3):
            tally.add(levels, mask)
    among = np.isin(np.arange(8), (0, 2, 3))
    found = histograms.resampled(np.ones((1, 8)), among)
    assert found.auroc()[0] == pytest.approx(pixel_auroc(tally).value, abs=1e-12)


def test_pixel_resamples_without_masks_are_nan(maps):
    histograms = ImageHistograms()
    histograms.add(0, maps[0][0], None)
    found = histograms.resampled(np.ones((2, 1)))
    assert np.isnan(found.auroc()).all()
    assert np.isnan(found.ap()).all()
    assert np.isnan(found.aupro(0.3)).all()


def test_six_hundred_images_take_seconds_not_minutes():
    random = np.random.default_rng(0)
    truth, scores = np.arange(600) % 2 == 1, random.normal(size=600)
    mask = np.zeros((32, 32), dtype=bool)
    mask[:9, :9] = True
    histograms = ImageHistograms()
    for n in range(600):
        levels = random.integers(0, LEVELS, mask.shape).astype(np.uint16)
        histograms.add(n, levels, mask if truth[n] else None)
    start = time.perf_counter()
    weights = group_weights([str(n) for n in range(600)], 500, 0)
    pixels = histograms.resampled(weights)
    values = [auroc_samples(weights, truth, scores), ap_samples(weights, truth, scores),
              pixels.auroc(), pixels.ap(), pixels.aupro(0.3)]
    assert time.perf_counter() - start < 6  # under 1 s on an idle core
    assert np.isfinite(values).all()


def test_aurocs_of_resamples_are_those_of_all_pairs_to_the_last_bit():
    rng = np.random.default_rng(0)
    for count, levels in ((12, 3), (300, 40), (300, 10**9)):
        truth, scores = rng.random(count) < 0.3, rng.integers(0, levels, count) / 7
        truth[:2] = True, False
        weights = group_weights([str(n // 2) for n in range(count)], 50, 1)
        lost, won = scores[~truth], scores[truth, None]
        pairs = (won > lost) + 0.5 * (won == lost)
        defect, good = weights[:, truth], weights[:, ~truth]
        whole = defect.sum(1) * good.sum(1)
        expected = np.where(whole > 0, ((defect @ pairs) * good).sum(1) / np.maximum(whole, 1),
                            np.nan)
        np.testing.assert_array_equal(auroc_samples(weights, truth, scores), expected)
