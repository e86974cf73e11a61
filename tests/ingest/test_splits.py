"""Splits follow the source and the seed, and never put one part on both sides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdm.errors import DataError
from hdm.ingest.readers import Record
from hdm.ingest.splits import assign_splits, draw

OPTIONS = {"seed": 0, "calibration_fraction": 0.25, "test_fraction": 0.25}


def good(number, split=None, start=0):
    return [Record(f"g{i}", split, "good") for i in range(start, start + number)]


def split_of(records, groups=None, **options):
    names = groups or [r.group or r.path for r in records]
    return dict(zip([r.path for r in records],
                    assign_splits(records, names, **{**OPTIONS, **options}), strict=True))


def test_source_with_test_keeps_it_and_gives_calibration():
    records = good(40, "train") + good(8, "test", 100) + [Record("d", "test", "dent")]
    found = split_of(records)
    assert all(found[f"g{i}"] == "test" for i in range(100, 108)) and found["d"] == "test"
    counts = np.unique(list(found.values()), return_counts=True)
    assert dict(zip(*counts, strict=True)) == {
        "train": 40 - counts[1][0], "calibration": counts[1][0], "test": 9}
    assert 8 <= counts[1][0] <= 12


def test_source_without_test_sends_defects_and_a_share_of_the_good_there():
    found = split_of(good(80) + [Record(f"d{i}", None, "dent") for i in range(5)])
    assert all(found[f"d{i}"] == "test" for i in range(5))
    tested = sum(found[f"g{i}"] == "test" for i in range(80))
    calibrated = sum(found[f"g{i}"] == "calibration" for i in range(80))
    assert 16 <= tested <= 24
    assert 0.18 <= calibrated / (80 - tested) <= 0.31


def test_no_defects_at_all_is_legal():
    assert set(split_of(good(12)).values()) == {"train", "calibration", "test"}


def test_smallest_sets():
    assert sorted(split_of(good(3)).values()) == ["calibration", "test", "train"]
    with pytest.raises(DataError, match="at least 3 groups"):
        split_of(good(2))
    assert sorted(split_of(good(2, "train") + good(1, "test", 9)).values()) == \
        ["calibration", "test", "train"]
    with pytest.raises(DataError, match="at least 2 groups"):
        split_of(good(1, "train") + good(1, "test", 9))


def test_no_good_images_is_refused():
    with pytest.raises(DataError, match="expected good images to learn from, found none among 2"):
        split_of([Record("a", None, "dent"), Record("b", "test", "dent")])


def test_calibration_of_the_source_stands():
    records = good(10, "train") + good(3, "calibration", 20) + good(3, "test", 30)
    found = split_of(records)
    assert [p for p, s in found.items() if s == "calibration"] == ["g20", "g21", "g22"]


def test_defects_never_train():
    records = [*good(8, "train"), Record("a", "train", "dent"), Record("b", "calibration", "dent"),
               Record("c", "test", "dent"), Record("h", "holdout", "good")]
    found = split_of(records)
    assert (found["a"], found["b"], found["c"], found["h"]) == \
        ("holdout", "holdout", "test", "holdout")


def test_rows_without_a_split_beside_a_test_split():
    records = [*good(6, "train"), Record("t", "test", "good", group="p"),
               Record("same part", None, "good", group="p"), Record("new", None, "good"),
               Record("dent", None, "dent"), Record("part of train", None, "good", group="g1")]
    groups = [r.group or r.path for r in records]
    found = split_of(records, groups)
    assert found["same part"] == "test" and found["dent"] == "test"
    assert found["new"] in ("train", "calibration")
    assert found["part of train"] == found["g1"]


def test_good_images_of_a_defective_part_are_tested_with_it():
    records = [*good(20), Record("d", None, "dent", group="p"),
               Record("before", None, "good", group="p")]
    assert split_of(records)["before"] == "test"


def test_one_part_on_both_sides_is_refused():
    records = [*good(5, "train"), Record("a", "train", "good", group="p"),
               Record("b", "test", "good", group="p")]
    with pytest.raises(DataError, match="group 'p' is in both"):
        split_of(records)


def test_order_does_not_matter_and_the_seed_does():
    records = good(100)
    assert split_of(records) == split_of(records[::-1])
    assert split_of(records) != split_of(records, seed=1)


@pytest.mark.parametrize("old", [40, 400])
def test_new_images_leave_the_others_where_they_are(old):
    before, after = split_of(good(old)), split_of(good(old + old // 10))
    moved = sum(before[path] != after[path] for path in before)
    assert moved <= 0.05 * old


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("number", [4, 10, 25, 60, 300])
def test_share_is_about_right_for_few_and_many(fraction, number):
    for seed in range(20):
        taken = len(draw([f"part {i}" for i in range(number)], fraction, seed, "test"))
        assert 1 <= taken < number
        assert abs(taken - fraction * number) <= 0.2 * fraction * number + 1


def test_draws_for_different_purposes_are_independent():
    names = [f"part {i}" for i in range(2000)]
    one, other = draw(names, 0.5, 0, "test"), draw(names, 0.5, 0, "calibration")
    assert abs(len(one & other) / 2000 - 0.25) < 0.03


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["good", "good", "good", "dent"]), st.integers(0, 9)),
                min_size=1, max_size=40), st.integers(0, 5))
def test_no_group_is_ever_on_two_sides(images, seed):
    records = [Record(f"{i}", None, kind, group=f"p{part}")
               for i, (kind, part) in enumerate(images)]
    try:
        found = split_of(records, seed=seed)
    except DataError:
        dented = {record.group for record in records if record.label}
        assert len({record.group for record in records} - dented) < 3, "too few to split"
        return
    sides = {}
    for record in records:
        sides.setdefault(record.group, set()).add(found[record.path])
        assert not record.label or found[record.path] == "test"
    assert all(len(split) == 1 for split in sides.values())
    assert {"train", "calibration", "test"} <= set(found.values())
