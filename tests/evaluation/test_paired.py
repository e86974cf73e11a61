"""Paired differences: closed forms for equal, shifted and swapped detectors."""

from types import SimpleNamespace

import numpy as np
import pytest

from hdm.dataset.manifest import Manifest, Row
from hdm.errors import HDMError
from hdm.evaluation.collected import Collected
from hdm.evaluation.paired import differences

OPTIONS = {"confidence": 0.95, "resamples": 200, "seed": 0}


def collected(scores, kinds, limit=0.5, paths=None):
    rows = [Row(f"{path:02}", "test", int(kind != "good"), kind, None, str(path), 4, 4, 1, 8, 8,
                "0" * 64)
            for path, kind in zip(paths or range(len(kinds)), kinds, strict=True)]
    found = [SimpleNamespace(score=float(score), p_value=0.5, probability=0.5, threshold=limit,
                             decision="defect" if score > limit else "good", reasons=(),
                             anomaly_map=np.full((4, 4), 0.5, np.float32)) for score in scores]
    return Collected.of(Manifest.of(rows, "."), found)


KINDS = ["good"] * 20 + ["dent"] * 10 + ["crack"] * 10
PERFECT = [0.1] * 20 + [0.9] * 20
BLIND_TO_CRACKS = [0.1] * 20 + [0.9] * 10 + [0.0] * 10


def by_name(found):
    return {(this.metric, this.defect_type): this for this in found}


def test_a_detector_beside_itself_differs_by_nothing():
    found = differences(collected(PERFECT, KINDS), collected(PERFECT, KINDS), **OPTIONS)
    assert {this.metric for this in found} == {"image_auroc", "cost"}  # no masks, no pixels
    assert all((this.difference, this.low, this.high) == (0, 0, 0) for this in found)


def test_values_by_hand_and_bounds_around_them():
    found = by_name(differences(collected(BLIND_TO_CRACKS, KINDS), collected(PERFECT, KINDS),
                                **OPTIONS))
    whole = found["image_auroc", ""]
    assert (whole.parts, found["image_auroc", "crack"].parts) == (20, 10)
    assert (whole.ours, whole.theirs, whole.difference) == (0.5, 1.0, -0.5)
    assert whole.low < -0.5 < whole.high < 0
    assert found["image_auroc", "crack"].difference == -1
    assert found["image_auroc", "dent"].difference == 0
    # Half of the defects escape: 0.5 x 0.5 at even odds; a loss for ours.
    cost = found["cost", ""]
    assert (cost.ours, cost.theirs, cost.difference) == (0.25, 0.0, -0.25)


def test_stated_costs_are_used():
    found = by_name(differences(collected(BLIND_TO_CRACKS, KINDS), collected(PERFECT, KINDS),
                                costs=(100.0, 2.0, 0.02), **OPTIONS))
    assert found["cost", ""].ours == pytest.approx(0.02 * 100 * 0.5)


def test_pairing_makes_the_bounds_narrow():
    """Both are as noisy as each other, image by image: their difference is not."""
    noise = np.random.default_rng(0).normal(0, 1, 40)
    theirs = noise + np.r_[np.zeros(20), np.ones(20)]
    found = by_name(differences(collected(theirs + 0.001 * noise, KINDS),
                                collected(theirs, KINDS), **OPTIONS))["image_auroc", ""]
    assert abs(found.low) < 0.01 and abs(found.high) < 0.01


def test_without_defects_only_nothing_is_left():
    found = differences(collected([0.1, 0.2], ["good"] * 2), collected([0.1, 0.2], ["good"] * 2),
                        **OPTIONS)
    assert found == ()


def test_other_images_are_refused():
    with pytest.raises(HDMError, match="same test images"):
        differences(collected(PERFECT, KINDS), collected(PERFECT, KINDS, paths=range(1, 41)),
                    **OPTIONS)


@pytest.mark.parametrize(("cracks", "told"), [(1, False), (3, False), (6, False), (7, True)])
def test_a_few_parts_that_agree_prove_nothing(cracks, told):
    """Two overall metrics and two types share 5 %: 2^-6 is above 0.05 / 4, 2^-7 is below."""
    kinds = ["good"] * 20 + ["dent"] * 20 + ["crack"] * cracks
    perfect = [0.1] * 20 + [0.9] * (20 + cracks)
    blind = [0.1] * 20 + [0.9] * 20 + [0.0] * cracks
    found = by_name(differences(collected(blind, kinds), collected(perfect, kinds), **OPTIONS))
    crack = found["image_auroc", "crack"]
    assert crack.difference == -1
    assert (crack.low, crack.high) == ((-1, -1) if told else (-1, 1))


def test_pictures_of_one_part_are_one_witness():
    """Twenty pictures of two parts that got worse are two parts that got worse."""
    rows = [*(Row(f"{n:02}", "test", 0, "good", None, f"g{n}", 4, 4, 1, 8, 8, "0" * 64)
              for n in range(20)),
            *(Row(f"{n:02}", "test", 1, "dent", None, f"d{n % 2}", 4, 4, 1, 8, 8, "0" * 64)
              for n in range(20, 40))]

    def judged(scores):
        return Collected.of(Manifest.of(rows, "."), [SimpleNamespace(
            score=score, p_value=0.5, probability=0.5, threshold=0.5,
            decision="defect" if score > 0.5 else "good", reasons=(),
            anomaly_map=np.full((4, 4), 0.5, np.float32)) for score in scores])

    found = by_name(differences(judged([0.1] * 20 + [0.0] * 20), judged([0.1] * 20 + [0.9] * 20),
                                **OPTIONS))
    assert found["image_auroc", ""].parts == 2
    assert found["image_auroc", ""].high == 1 and found["cost", ""].high == 0.5


def test_cost_counts_parts_and_what_is_undecidable_is_stopped():
    theirs = collected(PERFECT, KINDS)
    ours = collected(BLIND_TO_CRACKS, KINDS)
    for row in ours.rows[30:]:
        row["decision"] = "undecidable"
    cost = by_name(differences(ours, theirs, **OPTIONS))["cost", ""]
    assert (cost.ours, cost.difference) == (0.0, 0.0)


def test_more_comparisons_make_wider_bounds():
    """The same difference of the whole, beside one type of defect or beside many."""
    random = np.random.default_rng(0)
    theirs = np.r_[random.normal(0, 1, 60), random.normal(1.5, 1, 60)]
    ours = theirs + random.normal(0, 0.7, 120)
    few = ["good"] * 60 + ["dent"] * 60
    many = ["good"] * 60 + [f"kind {n % 6}" for n in range(60)]
    one, six = (by_name(differences(collected(ours, kinds), collected(theirs, kinds),
                                    **OPTIONS | {"resamples": 2000}))["image_auroc", ""]
                for kinds in (few, many))
    assert six.high > one.high
    assert six.low == one.low  # only overall metrics promote, and there are as many


def test_luck_of_the_calibration_widens_the_cost_alone():
    kinds = ["good"] * 60 + ["dent"] * 60
    random = np.random.default_rng(1)
    theirs = np.r_[random.normal(0, 1, 60), random.normal(2, 1, 60)]
    ours = theirs + random.normal(0, 0.3, 120)
    plain = by_name(differences(collected(ours, kinds, 1.5), collected(theirs, kinds, 1.5),
                                **OPTIONS))
    seen = [collected(scores, kinds, 1.5) for scores in (ours, theirs)]
    for number, one in enumerate(seen):
        one.held_out = tuple(np.random.default_rng(number).normal(0, 1, 37))
    lucky = by_name(differences(*seen, **OPTIONS))
    assert lucky["image_auroc", ""] == plain["image_auroc", ""]
    assert lucky["cost", ""].difference == plain["cost", ""].difference
    assert lucky["cost", ""].high - lucky["cost", ""].low > \
        1.2 * (plain["cost", ""].high - plain["cost", ""].low)


def test_the_same_weights_have_the_same_luck():
    seen = [collected(PERFECT, KINDS) for _ in range(2)]
    for one in seen:
        one.held_out = tuple(np.linspace(0, 0.6, 37))
    assert all((this.low, this.high) == (0, 0) for this in differences(*seen, **OPTIONS))
