"""Counting by part: each number by hand, intervals in closed form."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from hdm.errors import HDMError
from hdm.evaluation.detection import DETECTION_FILE, Detection, detection_rows
from hdm.evaluation.stopped_parts import clopper_pearson, count_stopped
from hdm.files import write_json


def rows(*pictures):
    """(part, defect type, decision) each."""
    return [{"group": part, "defect_type": kind, "label": int(kind != "good"),
             "decision": decision} for part, kind, decision in pictures]


def numbers(kind):
    return (kind.parts_stopped, kind.parts, kind.images_stopped, kind.images)


def test_one_picture_a_part_counts_pictures():
    found = count_stopped(rows(("a", "good", "good"), ("b", "good", "defect"),
                               ("c", "dent", "defect"), ("d", "dent", "good"),
                               ("e", "crack", "defect")), 0.95)
    assert numbers(found.good) == (1, 2, 1, 2)
    assert numbers(found.defects) == (2, 3, 2, 3)
    assert [(kind.kind, *numbers(kind)) for kind in found.types] == [
        ("crack", 1, 1, 1, 1), ("dent", 1, 2, 1, 2)]
    assert found.worst.kind == "dent"


@pytest.mark.parametrize(("pictures", "good", "defects"), [
    # A part is stopped by any of its pictures, also by one that shows no defect.
    ([("a", "dent", "good"), ("a", "dent", "defect")], (0, 0, 0, 0), (1, 1, 1, 2)),
    ([("a", "dent", "good"), ("a", "good", "defect")], (0, 0, 1, 1), (1, 1, 0, 1)),
    # A good part is one without any defective picture; one false alarm stops it.
    ([("a", "good", "good"), ("a", "good", "defect"), ("b", "good", "good")],
     (1, 2, 1, 3), (0, 0, 0, 0)),
    # An undecidable picture stops its part.
    ([("a", "dent", "undecidable"), ("b", "good", "undecidable")], (1, 1, 1, 1), (1, 1, 1, 1))])
def test_parts_of_several_pictures(pictures, good, defects):
    found = count_stopped(rows(*pictures), 0.95)
    assert (numbers(found.good), numbers(found.defects)) == (good, defects)


def test_undecidable_parts_are_those_that_nothing_else_stops():
    found = count_stopped(rows(
        ("a", "dent", "undecidable"), ("b", "dent", "undecidable"), ("b", "dent", "defect"),
        ("c", "good", "undecidable"), ("c", "good", "undecidable"), ("d", "good", "good")), 0.95)
    assert (found.defects.parts_undecidable, found.defects.images_undecidable) == (1, 2)
    assert (found.good.parts_undecidable, found.good.images_undecidable) == (1, 2)
    assert (found.undecidable.parts_stopped, found.undecidable.images_stopped) == (2, 4)


def test_a_part_of_two_types_counts_for_both():
    found = count_stopped(rows(("a", "dent", "defect"), ("a", "crack", "good"),
                               ("b", "crack", "good")), 0.95)
    assert [(kind.kind, *numbers(kind)) for kind in found.types] == [
        ("crack", 1, 2, 0, 2), ("dent", 1, 1, 1, 1)]


@pytest.mark.parametrize(("count", "total"), [(0, 5), (5, 5), (3, 10), (46, 150), (1, 1)])
@pytest.mark.parametrize("coverage", [0.9, 0.95])
def test_intervals_are_the_exact_ones(count, total, coverage):
    expected = binomtest(count, total).proportion_ci(coverage, method="exact")
    assert clopper_pearson(count, total, coverage) == pytest.approx(tuple(expected))
    # Closed form at the ends: nothing of n is at most 1 - (miss / 2)^(1/n).
    if count == 0:
        assert clopper_pearson(0, total, coverage)[1] == pytest.approx(
            1 - ((1 - coverage) / 2) ** (1 / total))


def test_nothing_to_count_has_no_share_and_no_interval():
    found = count_stopped(rows(("a", "good", "good")), 0.95)
    assert (found.defects.share, found.defects.low, found.defects.bounds()) == (None, None, "")
    assert (found.defects.counts(), found.defects.rate(), found.worst) == ("–", "–", None)
    assert "recall_low" not in found.metrics() and found.metrics()["recall"] is None


def test_the_worst_type_has_the_smallest_share_and_then_most_escapes():
    pictures = [(f"{kind}{n}", kind, "good" if n < missed else "defect") for kind, total, missed in
                (("dent", 10, 1), ("crack", 4, 2), ("rust", 6, 3), ("hole", 9, 0))
                for n in range(total)]
    assert count_stopped(rows(*pictures), 0.95).worst.kind == "rust"


@pytest.mark.parametrize("seed", range(3))
def test_the_record_survives_json(tmp_path, seed):
    random = np.random.default_rng(seed)
    found = count_stopped(rows(*((str(random.integers(8)), random.choice(["good", "a", "b"]),
                                  random.choice(["good", "defect", "undecidable"]))
                                 for _ in range(30))), 0.95)
    write_json(tmp_path / DETECTION_FILE, found.as_dict())
    assert Detection.load(tmp_path) == found


@pytest.mark.parametrize("content", [{}, [], {"good": 3}, {"coverage": 0.9, "good": {},
                                                           "defects": {}, "types": []}])
def test_what_is_no_record_is_one_sentence(tmp_path, content):
    (tmp_path / DETECTION_FILE).write_text(json.dumps(content))
    with pytest.raises(HDMError, match="run the evaluate stage again"):
        Detection.load(tmp_path)


def test_a_type_may_be_called_like_a_heading():
    found = count_stopped(rows(("a", "defects", "good"), ("b", "good", "good")), 0.95)
    assert [row[0] for row in detection_rows(found)] == ["defects", "all defects", "good parts"]


def test_pictures_are_named_beside_parts_only_where_they_differ():
    one = count_stopped(rows(("a", "dent", "defect"), ("b", "dent", "good")), 0.95)
    two = count_stopped(rows(("a", "dent", "defect"), ("a", "dent", "good")), 0.95)
    assert one.defects.counts() == "1 of 2"
    assert two.defects.counts() == "1 of 1 (1 of 2 pictures)"
