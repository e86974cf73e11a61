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
