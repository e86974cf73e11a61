"""Which data are newer, and that a version's tags remember it."""

import pytest

from hdm.dataset.manifest import Manifest, Row
from hdm.evaluation.stopped_parts import count_stopped
from hdm.registry.detection_tag import DETECTION, detection_of, detection_tag
from hdm.registry.mlflow_uris import TEXT_LENGTH
from hdm.registry.training_data import TrainingData


def data(*images):
    """(split, first letter of its hash) each."""
    return TrainingData.of(Manifest.of([
        Row(f"{n}{split}.png", split, 0, "good", None, str(n), 8, 8, 1, 8, 8, letter * 64)
        for n, (split, letter) in enumerate(images)], "."))


OLD = data(("train", "a"), ("calibration", "b"), ("test", "c"))


@pytest.mark.parametrize(("new", "newer"), [
    (data(("train", "a"), ("calibration", "b"), ("test", "c")), False),
    (data(("calibration", "b"), ("train", "a")), False),  # another order, another test set
    (data(("train", "a"), ("calibration", "b"), ("test", "d")), False),
    (data(("train", "a"), ("calibration", "b"), ("holdout", "d")), False),
    (data(("train", "a")), False),  # only fewer
    (data(("train", "a"), ("train", "d"), ("calibration", "b")), True),
    (data(("train", "d"), ("calibration", "b")), True)])
def test_newer_is_other_images_to_learn_from_and_not_fewer(new, newer):
    assert new.newer_than(OLD) is newer


@pytest.mark.parametrize("tags", [{}, {"hdm.training_data": "x"}, {
    "hdm.training_data": "x", "hdm.training_images": "many"}])
def test_what_is_not_known_is_not_older(tags):
    assert TrainingData.from_tags(tags) is None
    assert not OLD.newer_than(None)


def test_tags_are_read_back():
    assert TrainingData.from_tags(OLD.tags()) == OLD


def counted(types):
    return count_stopped([
        {"label": int(n > 0), "defect_type": f"type {n:03}" if n else "good", "group": f"{n}.{m}",
         "decision": "defect" if m < n % 4 else "good"} for n in range(types + 1)
        for m in range(3)], 0.95)


@pytest.mark.parametrize("types", [0, 1, 12])
def test_counts_are_read_back_from_the_tag(types):
    found = counted(types)
    assert detection_of({DETECTION: detection_tag(found)}) == found


def test_a_tag_that_is_too_long_leaves_out_the_best_types():
    found = counted(300)
    text = detection_tag(found)
    assert len(text.encode()) <= TEXT_LENGTH
    again = detection_of({DETECTION: text})
    assert again.defects.counts() == found.defects.counts()
    assert again.worst == found.worst
    kept = {kind.kind for kind in again.types}
    left_out = [kind for kind in found.types if kind.kind not in kept]
    assert min(kind.share for kind in left_out) >= max(kind.share for kind in again.types)


@pytest.mark.parametrize("text", ["", "{", "[]", "[0.95]", "[0.95,[1],[2]]", "3"])
def test_an_edited_tag_is_as_good_as_none(text):
    assert detection_of({DETECTION: text}) is None
