"""Each expectation is made to fail by a small fault, and names exactly the right images."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter

from hdm.settings import Validate


@pytest.fixture(scope="module")
def validate():
    from hdm.validation.verdict import validate
    return validate


def mask(height=40, width=48, side=8):
    pixels = np.zeros((height, width), np.uint8)
    pixels[:side, :side] = 255
    return pixels


def truncated(line):
    file = line.root / "train/good/003.png"
    file.write_bytes(file.read_bytes()[:200])


def text_and_missing(line):
    (line.root / "test/good/001.png").write_text("not an image")
    (line.root / "test/scratch/002.png").unlink()


def listed_twice(line):
    line.rows["again"] = dict(line.rows["test/good/004.png"])


def changed(line):
    line.write("test/good/005.png", line.pixels())


def copied_across(line):
    line.put("test/good/copy.png", "test")
    shutil.copy(line.root / "train/good/001.png", line.root / "test/good/copy.png")
    line.change("test/good/copy.png", sha256=line.rows["train/good/001.png"]["sha256"])


def same_part(line):
    for path in ("train/good/000.png", "train/good/030.png"):
        line.change(path, group="part 7")


def few_train(line):
    line.drop(lambda row: row["split"] != "train" or row["path"] < "train/good/019")


def few_calibration(line):
    line.drop(lambda row: row["split"] != "calibration" or row["path"] < "train/good/030")


def few_test(line):
    kept = ("test/good/000.png", "test/scratch/001.png")
    line.drop(lambda row: row["split"] != "test" or row["path"] in kept)


def damaged_mask(line):
    (line.root / line.rows["test/scratch/003.png"]["mask_path"]).write_bytes(b"\x89PNG broken")


def other_mask_size(line):
    line.write(line.rows["test/scratch/004.png"]["mask_path"], mask(48, 40))


def empty_mask(line):
    line.write(line.rows["test/scratch/005.png"]["mask_path"], mask(side=0))


def mask_on_good(line):
    line.put("test/good/marked.png", "test", mask=mask())


def no_mask(line):
    line.change("test/scratch/006.png", mask_path=None)


def defect_in_train(line):
    line.change("train/good/010.png", label=1, defect_type="dent")


def two_spellings(line):
    line.put("test/Scratch/new.png", "test", mask=mask())


def tiny(line):
    line.put("test/good/tiny.png", "test", line.pixels(20, 60))


def colour(line):
    line.put("train/good/colour.png", "train", np.stack([line.pixels()] * 3, axis=2))


def deep(line):
    line.put("train/good/deep.png", "train", line.pixels().astype(np.uint16) * 257)


def blank(line):
    line.put("test/scratch/blank.png", "test", np.full((40, 48), 125, np.uint8), mask=mask())


def overexposed(line):
    line.put("test/good/bright.png", "test", line.pixels() + 90)


def clipped(line):
    pixels = line.pixels()
    pixels[:20, ::2] = 0
    pixels[:20, 1::2] = 249
    line.put("test/good/clipped.png", "test", pixels)


def blurred(line):
    picture = Image.fromarray(line.pixels()).filter(ImageFilter.GaussianBlur(3))
    line.put("train/good/blurred.png", "train", np.asarray(picture))


IMAGES = (truncated, text_and_missing, listed_twice, changed, copied_across, same_part,
          damaged_mask, other_mask_size, empty_mask, mask_on_good, no_mask, defect_in_train,
          two_spellings, tiny, colour, deep, blank, overexposed, clipped, blurred)
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
        "sharpness": ["test/good/clipped.png", "train/good/blurred.png"],
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
        verdicts[faults] = validate(line.manifest(), Validate(strictness="strict"))
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
    crafted.put("test/scratch/held.png", "holdout", group="train/good/000.png", mask=mask())
    assert validate(crafted.manifest(), Validate(strictness="strict")).passed
