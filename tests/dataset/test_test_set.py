"""The name of a test set follows from what is in it, and from nothing else."""

import hashlib

from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.test_set import Entry, change, content_name, describe, entries_of, in_words

A, B, C = "a" * 64, "b" * 64, "c" * 64
PAIR = (Entry("test/good/1.png", A, 0, "good", ""), Entry("test/dent/1.png", B, 1, "dent", C))


def test_name_is_the_digest_of_the_sorted_content():
    text = "\n".join([f"{A}\x000\x00good\x00", f"{B}\x001\x00dent\x00{C}"])
    assert content_name(PAIR) == "test-" + hashlib.sha256(text.encode()).hexdigest()[:8]
    assert content_name(PAIR[::-1]) == content_name(PAIR)
    assert content_name([entry._replace(path="x") for entry in PAIR]) == content_name(PAIR)


def test_pixels_label_type_and_mask_each_change_the_name():
    good, dent = PAIR
    names = {content_name(entries) for entries in (
        PAIR, (good,), (good, dent, dent), (good._replace(sha256=B), dent),
        (good, dent._replace(defect_type="hole")), (good, dent._replace(mask_sha256="")),
        (good, dent._replace(label=0)), ())}
    assert len(names) == 8


def test_change_counts_what_came_and_went():
    good, dent = PAIR
    assert change(PAIR, PAIR[::-1]) == ""
    corrected = (good, dent._replace(mask_sha256=A), Entry("n", C, 0, "good", ""))
    assert change(PAIR, corrected) == (
        f"the test set has changed from {content_name(PAIR)} to {content_name(corrected)}: "
        "2 images added, 1 removed; scores on the two are not compared.")


def test_entries_are_the_test_split_with_the_hash_of_each_mask(tmp_path):
    def row(path, split, label, kind, mask, digest):
        return Row(path, split, label, kind, mask, path, 8, 8, 1, 8, 8, digest)

    manifest = Manifest.of([
        row("dent/1.png", "test", 1, "dent", "masks/1.png", B), row("good/1.png", "test", 0,
                                                                    "good", None, A),
        row("good/2.png", "train", 0, "good", None, C)], tmp_path)
    assert entries_of(manifest, {"masks/1.png": C, "unused.png": A}) == (
        Entry("dent/1.png", B, 1, "dent", C), Entry("good/1.png", A, 0, "good", ""))


def test_description():
    found = describe(PAIR, "spring")
    assert found == {"name": content_name(PAIR), "frozen_as": "spring", "images": 2, "masks": 1,
                     "defect_types": {"good": 1, "dent": 1}}
    assert in_words(found) == f"{content_name(PAIR)}, frozen as spring: 2 images, 1 of them good"
    assert in_words(describe(PAIR[1:])).endswith(": 1 images, 0 of them good")
