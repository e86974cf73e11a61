"""Image metrics against numbers worked out by hand."""

import pytest

from hdm.evaluation.metrics import Confusion, Measure, image_ap, image_auroc


def test_auroc_counts_the_won_pairs():
    # Pairs (defect, good): 0.9>0.5, 0.9>0.1, 0.4<0.5, 0.4>0.1: three of four are won.
    assert image_auroc([1, 1, 0, 0], [0.9, 0.4, 0.5, 0.1]).value == 0.75


def test_auroc_counts_ties_as_half():
    assert image_auroc([1, 0, 0, 1], [2.0, 2.0, 2.0, 2.0]).value == 0.5


def test_ap_by_hand():
    # Ranked D G D G: precision 1/1 at the first defect and 2/3 at the second.
    assert image_ap([1, 1, 0, 0], [0.9, 0.4, 0.5, 0.1]).value == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("metric", [image_auroc, image_ap])
def test_one_class_is_undefined_with_a_reason(metric):
    assert metric([0, 0], [1, 2]) == Measure(None, "the test split has no defective images")
    assert metric([1, 1], [1, 2]) == Measure(None, "the test split has no good images")


def test_confusion_by_hand():
    confusion = Confusion.of([1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0])
    assert (confusion.true_positives, confusion.false_negatives) == (2, 1)
    assert (confusion.false_positives, confusion.true_negatives) == (1, 3)
    assert (confusion.defects, confusion.good) == (3, 4)
    assert confusion.recall.value == pytest.approx(2 / 3)
    assert confusion.precision.value == pytest.approx(2 / 3)
    assert confusion.f1.value == pytest.approx(2 / 3)
    assert confusion.false_alarm_rate.value == 0.25


def test_nothing_caught_is_f1_zero_not_undefined():
    confusion = Confusion.of([1, 0], [0, 0])
    assert confusion.f1.value == 0
    assert confusion.recall.value == 0
    assert confusion.precision == Measure(None, "no image was called defective")


def test_confusion_without_defects_or_without_good():
    only_good = Confusion.of([0, 0], [0, 1])
    assert only_good.f1.value is None
    assert only_good.recall.value is None
    assert only_good.false_alarm_rate.value == 0.5
    only_defects = Confusion.of([1, 1], [0, 1])
    assert only_defects.false_alarm_rate.value is None
    assert only_defects.f1.value == pytest.approx(2 / 3)
