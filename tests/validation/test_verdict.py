"""What follows from unmet expectations: strictness, the reason that people read, the record."""

import json

import pytest
from crafted_line import mask_of
from faults import (
    blurred,
    colour,
    copied_across,
    empty_mask,
    other_mask_size,
    tiny,
    truncated,
)

from hdm.settings import Validate


def test_a_faultless_line_passes_strictly(crafted, validate):
    verdict = validate(crafted.manifest(), Validate(strictness="strict"))
    assert verdict.passed and not verdict.failures and verdict.reason == ""
    assert len(verdict.statistics) == 54
    observed = {result.expectation: result.observed for result in verdict.results}
    assert observed["enough_train"] == 24
    assert observed["mask_size"] == 10
    assert observed["exposure"] == 44


@pytest.mark.parametrize("strictness, critical", [
    ("strict", {"decodable", "mode", "sharpness"}),
    ("standard", {"decodable", "mode"}),
    ("lenient", {"decodable"}),
])
def test_strictness_decides_what_stops_the_line(crafted, validate, strictness, critical):
    for fault in (truncated, colour, blurred):
        fault(crafted)
    verdict = validate(crafted.manifest(), Validate(strictness=strictness))
    assert {f.expectation for f in verdict.failures} == {"decodable", "mode", "sharpness"}
    assert {f.expectation for f in verdict.critical} == critical
    assert set(verdict.failures) == {*verdict.critical, *verdict.warnings}
    assert not verdict.passed


def test_warnings_alone_do_not_stop_the_line(crafted, validate):
    blurred(crafted)
    verdict = validate(crafted.manifest(), Validate())
    assert verdict.passed and [f.expectation for f in verdict.warnings] == ["sharpness"]


def test_a_line_of_good_images_alone_is_legal(crafted, validate):
    crafted.drop(lambda row: row["label"] == 0)
    assert validate(crafted.manifest(), Validate(strictness="strict")).passed


def test_a_line_without_masks_is_legal(crafted, validate):
    for row in crafted.rows.values():
        row["mask_path"] = None
    assert validate(crafted.manifest(), Validate(strictness="strict")).passed


def test_a_line_whose_every_image_is_unreadable_fails_for_that_reason(crafted, validate):
    for path in crafted.rows:
        (crafted.root / path).write_bytes(b"")
    verdict = validate(crafted.manifest(), Validate())
    assert [failure.expectation for failure in verdict.failures] == ["decodable"]
    assert len(verdict.failures[0].paths) == 54


def test_no_images_at_all_is_too_few(crafted, validate):
    from hdm.dataset.manifest import SCHEMA, Manifest
    empty = Manifest(SCHEMA.empty_table().to_pandas(), crafted.root)
    verdict = validate(empty, Validate())
    assert {f.expectation for f in verdict.critical} == {"enough_train", "enough_calibration"}


def test_the_message_names_five_images_and_counts_the_rest(crafted, validate):
    for index in range(8):
        (crafted.root / f"test/good/00{index}.png").write_bytes(b"")
    message = validate(crafted.manifest(), Validate()).reason
    assert "8 of 54 images" in message
    assert "test/good/004.png and 3 more" in message
    assert "test/good/005.png" not in message
    assert "replace or remove the files" in message


def test_the_reason_explains_three_expectations_and_counts_the_rest(crafted, validate):
    for fault in (truncated, copied_across, empty_mask, other_mask_size, tiny):
        fault(crafted)
    verdict = validate(crafted.manifest(), Validate())
    assert len(verdict.critical) == 5
    assert verdict.reason.endswith("; and 2 more expectations are unmet")


def test_names_of_every_kind_come_back_as_they_are(crafted, validate):
    names = ["train/good/<b>$x & y.png", "train/good/Prüfung %s 日本.png",
             "train/good/&amp; {0}.png", f"train/good/{'n' * 200}.png"]
    for name in names:
        crafted.put(name, "train")
        (crafted.root / name).write_bytes(b"")
    (failure,) = validate(crafted.manifest(), Validate()).failures
    assert set(failure.paths) == set(names)


def test_equal_data_give_equal_verdicts(crafted, validate):
    for fault in (truncated, blurred, other_mask_size):
        fault(crafted)
    first, second = (json.dumps(validate(crafted.manifest(), Validate(), threads=n).as_dict())
                     for n in (1, 3))
    assert first == second
    assert "test/scratch/004.png" in first


def test_a_fingerprint_follows_the_manifest(crafted):
    from hdm.validation.verdict import fingerprint
    before = fingerprint(crafted.manifest().frame)
    assert before == fingerprint(crafted.manifest().frame)
    crafted.change("test/good/000.png", group="another")
    assert before != fingerprint(crafted.manifest().frame)


def test_a_part_may_have_images_in_holdout_and_in_one_other_split(crafted, validate):
    crafted.put("test/scratch/held.png", "holdout", group="train/good/000.png", mask=mask_of())
    assert validate(crafted.manifest(), Validate(strictness="strict")).passed
