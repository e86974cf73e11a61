"""Curves: points by hand, the rule score > threshold, thinning."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, roc_auc_score

from hdm.evaluation.curves import (
    image_pr,
    image_roc,
    pixel_pr,
    pixel_pro,
    pixel_roc,
    score_histogram,
    thin,
)
from hdm.evaluation.pixels import LEVELS, PixelTally, aupro, pixel_auroc


def noisy_tally():
    random, tally = np.random.default_rng(0), PixelTally()
    mask = np.zeros((64, 64), dtype=bool)
    mask[5:20, 5:20] = True
    for _ in range(3):
        levels = random.integers(0, LEVELS - 9000, mask.shape) + 9000 * mask
        tally.add(levels.astype(np.uint16), mask)
    return tally


def test_image_roc_by_hand():
    curve = image_roc([1, 0, 1, 0], [0.9, 0.5, 0.4, 0.1])
    assert curve["false_positive_rate"].tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve["true_positive_rate"].tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve["threshold"].tolist() == [0.9, 0.5, 0.4, 0.1, np.nextafter(0.1, -1)]


def test_each_threshold_gives_its_point_by_the_detectors_rule():
    random = np.random.default_rng(1)
    truth = random.random(50) < 0.4
    scores = np.round(random.normal(size=50), 1)
    for point in image_roc(truth, scores).itertuples():
        called = scores > point.threshold
        assert called[truth].mean() == pytest.approx(point.true_positive_rate)
        assert called[~truth].mean() == pytest.approx(point.false_positive_rate)


def test_image_pr_by_hand():
    curve = image_pr([1, 0, 1, 0], [0.9, 0.5, 0.4, 0.1])
    assert curve["recall"].tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve["precision"].tolist() == pytest.approx([1, 1, 1 / 2, 2 / 3, 1 / 2])


def test_at_most_200_points_and_the_area_stays():
    random = np.random.default_rng(2)
    truth = random.random(3000) < 0.3
    scores = random.normal(size=3000) + truth
    curve = image_roc(truth, scores)
    assert 100 < len(curve) <= 200
    assert curve.iloc[0, :2].tolist() == [0, 0]
    assert curve.iloc[-1, :2].tolist() == [1, 1]
    area = auc(curve["false_positive_rate"], curve["true_positive_rate"])
    assert area == pytest.approx(roc_auc_score(truth, scores), abs=0.003)


def test_pixel_curves_agree_with_their_areas():
    tally = noisy_tally()
    roc, pro = pixel_roc(tally), pixel_pro(tally, 0.3)
    assert len(roc) <= 200
    assert len(pro) <= 200
    assert auc(roc.iloc[:, 0], roc.iloc[:, 1]) == pytest.approx(pixel_auroc(tally).value, abs=1e-3)
    assert auc(pro.iloc[:, 0], pro.iloc[:, 1]) / 0.3 == pytest.approx(aupro(tally, 0.3).value,
                                                                     abs=1e-3)
    assert pro.iloc[-1, 0] == pytest.approx(0.3)
    assert roc["threshold"].between(-1, 1).all()
    assert pixel_pr(tally)["precision"].between(0, 1).all()


def test_undefined_curves_have_columns_but_no_rows():
    good = PixelTally()
    good.add(np.zeros((4, 4), np.uint16), None)
    for curve in (image_roc([0, 0], [1, 2]), image_roc([1, 1], [1, 2]), pixel_roc(good)):
        assert curve.empty
        assert list(curve) == ["false_positive_rate", "true_positive_rate", "threshold"]
    for curve in (image_pr([0, 0], [1, 2]), pixel_pr(good)):
        assert curve.empty
        assert list(curve) == ["recall", "precision", "threshold"]
    assert list(pixel_pro(good, 0.3)) == ["false_positive_rate", "region_overlap"]


def test_histogram_counts_every_image_once():
    truth = [0, 0, 0, 1, 1]
    table = score_histogram(truth, [0.0, 0.1, 0.2, 0.9, 1.0])
    assert table.groupby("label")["images"].sum().to_dict() == {"good": 3, "defect": 2}
    assert table["low"].min() == 0
    assert table["high"].max() == 1
    assert np.allclose(table["score"], (table["low"] + table["high"]) / 2)


def test_histogram_of_equal_scores():
    assert score_histogram([0, 1], [2.0, 2.0])["images"].sum() == 2


def test_thinning_keeps_ends_and_drops_standstill():
    curve = pd.DataFrame({"x": [0, 0, 0, 0.5, 1, 1], "y": [0, 0, 0, 0.5, 1, 1]})
    assert thin(curve)["x"].tolist() == [0, 0.5, 1]
    long = pd.DataFrame({"x": np.linspace(0, 1, 5000), "y": np.linspace(0, 1, 5000) ** 2})
    assert len(thin(long, 50)) == 50
    assert thin(long, 50).iloc[[0, -1], 0].tolist() == [0, 1]
