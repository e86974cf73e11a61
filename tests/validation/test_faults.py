"""Each expectation is made to fail by a small fault, and names exactly the right images."""

import pytest
from faults import (
    blank,
    blurred,
    changed,
    clipped,
    colour,
    copied_across,
    damaged_mask,
    deep,
    defect_in_train,
    drawn,
    empty_mask,
    few_calibration,
    few_test,
    few_train,
    left_aside,
    listed_twice,
    mask_on_good,
    no_mask,
    other_mask_size,
    overexposed,
    same_part,
    text_and_missing,
    tiny,
    truncated,
    two_spellings,
    whole_mask,
)

from hdm.settings import Validate

IMAGES = (truncated, text_and_missing, listed_twice, changed, copied_across, same_part,
          damaged_mask, other_mask_size, empty_mask, mask_on_good, no_mask, defect_in_train,
          two_spellings, tiny, colour, deep, blank, overexposed, clipped, blurred,
          whole_mask, drawn, left_aside)
COUNTS = (few_train, few_calibration, few_test)
EXPECTED = {
    IMAGES: {
        "decodable": ["test/good/001.png", "test/scratch/002.png", "train/good/003.png"],
        "unique_path": ["test/good/004.png"],
        "unchanged": ["test/good/005.png"],
        "content_leak": ["test/good/copy.png", "train/good/001.png"],
        "group_leak": ["train/good/000.png", "train/good/030.png"],
        "mask_decodable": ["test/scratch/003.png"],
        "mask_size": ["test/scratch/004.png"],
        "mask_not_empty": ["test/scratch/005.png"],
        "mask_of_good": ["test/good/marked.png"],
        "mask_for_each_defect": ["test/scratch/006.png", "train/good/010.png"],
        "labels": ["train/good/010.png"],
        "defect_names": ["test/Scratch/new.png", *(f"test/scratch/{i:03d}.png" for i in range(10)),
                         "test/scratch/blank.png"],
        "size": ["test/good/tiny.png"],
        "mode": ["train/good/colour.png", "train/good/deep.png"],
        "not_blank": ["test/scratch/blank.png"],
        "exposure": ["test/good/bright.png"],
        "saturation": ["test/good/clipped.png"],
        "sharpness": ["test/good/clipped.png", "train/good/blurred.png", "train/good/drawn.png"],
        "mask_not_whole": ["test/scratch/007.png"],
        "photographs": ["train/good/drawn.png"],
        "all_used": ["extra/a.png"],
    },
    COUNTS: {"enough_train": [], "enough_calibration": [], "enough_test_good": [],
             "enough_test_defects": []},
}


@pytest.fixture(scope="module")
def judged(craft, validate):
    """The strict verdicts on a line with every fault of an image, and on one with too few."""
    verdicts = {}
    for faults in EXPECTED:
        line = craft("faults")
        for fault in faults:
            fault(line)
        verdicts[faults] = validate(line.manifest(), Validate(strictness="strict"),
                                    aside=line.aside)
    return verdicts


@pytest.mark.parametrize("faults, code", [
    pytest.param(faults, code, id=code) for faults, codes in EXPECTED.items() for code in codes])
def test_a_fault_is_found_and_exactly_its_images_are_named(judged, faults, code):
    failure = next(f for f in judged[faults].failures if f.expectation == code)
    paths = EXPECTED[faults][code]
    assert list(failure.paths) == paths
    assert len(failure.found) == len(paths)
    assert failure.severity == "critical" and failure.remedy in failure.message


def test_nothing_else_is_found(judged):
    for faults, codes in EXPECTED.items():
        assert not judged[faults].passed
        assert {failure.expectation for failure in judged[faults].failures} == set(codes)


def test_every_expectation_has_been_made_to_fail(judged):
    known = {result.expectation for verdict in judged.values() for result in verdict.results}
    assert known == {code for codes in EXPECTED.values() for code in codes}


def test_unexpected_values_are_told(judged):
    found = {f.expectation: dict(zip(f.paths, f.found, strict=True))
             for f in judged[IMAGES].failures}
    assert found["decodable"]["test/good/001.png"] == "a text file"
    assert found["content_leak"]["test/good/copy.png"] == "test and train"
    assert found["mode"]["train/good/deep.png"] == "16-bit grey"
