"""Of many images some are learned from, drawn by part and not by place."""

import numpy as np
import pytest

from hdm.dataset.held_out import joining_images
from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.reservoir import reservoir
from hdm.dataset.tensors import learned_images

PARTS = [f"part {number // 3}" for number in range(900)]


def test_few_are_all_taken_in_order():
    assert list(reservoir(PARTS, 900)) == list(range(900))
    assert list(reservoir([], 3)) == []


def test_whole_parts_are_drawn_up_to_the_limit():
    chosen = reservoir(PARTS, 100)
    assert len(chosen) == 99 and list(chosen) == sorted(chosen)
    assert {PARTS[number] for number in chosen}.isdisjoint(
        PARTS[number] for number in set(range(900)) - set(chosen))


def test_the_order_of_the_images_has_no_say():
    order = np.random.default_rng(0).permutation(900)
    mixed = [PARTS[number] for number in order]
    assert {mixed[number] for number in reservoir(mixed, 100)} == \
        {PARTS[number] for number in reservoir(PARTS, 100)}


def test_new_parts_take_the_place_of_few():
    before = {PARTS[number] for number in reservoir(PARTS, 300)}
    grown = [*(f"a new part {number}" for number in range(9)), *PARTS]
    after = {grown[number] for number in reservoir(grown, 300)}
    assert len(before - after) <= 9


def test_of_one_large_part_the_first_images():
    assert list(reservoir(["one"] * 10, 4)) == [0, 1, 2, 3]


@pytest.mark.parametrize("split", ["train", "calibration"])
def test_holdout_and_test_are_never_learned_from(split):
    names = ("train", "calibration", "test", "holdout")
    manifest = Manifest.of([Row(f"{n:05d}.png", names[n % 4], 0, "good", None, f"part {n}", 64, 64,
                                1, 8, 8, "0" * 64) for n in range(20_000)], ".")
    chosen = learned_images(manifest.split("train")) if split == "train" \
        else joining_images(manifest)
    assert set(chosen.frame["split"]) == {split}
    assert len(chosen) == (4096 if split == "train" else 1250)
