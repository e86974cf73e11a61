"""Each expectation is made to fail by one small fault, and names the right images."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageFilter

from hdm.config import Validate


@pytest.fixture(scope="module")
def validate():
    from hdm.validation.validate import validate
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


FAULTS = [
    (truncated, "decodable", ["train/good/003.png"]),
    (text_and_missing, "decodable", ["test/good/001.png", "test/scratch/002.png"]),
    (listed_twice, "unique_path", ["test/good/004.png"]),
    (changed, "unchanged", ["test/good/005.png"]),
    (copied_across, "content_leak", ["test/good/copy.png", "train/good/001.png"]),
    (same_part, "group_leak", ["train/good/000.png", "train/good/030.png"]),
    (few_train, "enough_train", []),
    (few_calibration, "enough_calibration", []),
    (few_test, "enough_test_good", []),
    (few_test, "enough_test_defects", []),
    (damaged_mask, "mask_decodable", ["test/scratch/003.png"]),
    (other_mask_size, "mask_size", ["test/scratch/004.png"]),
    (empty_mask, "mask_not_empty", ["test/scratch/005.png"]),
    (mask_on_good, "mask_of_good", ["test/good/marked.png"]),
    (no_mask, "mask_for_each_defect", ["test/scratch/006.png"]),
    (defect_in_train, "labels", ["train/good/010.png"]),
    (two_spellings, "defect_names",
     ["test/Scratch/new.png", *(f"test/scratch/{i:03d}.png" for i in range(10))]),
    (tiny, "size", ["test/good/tiny.png"]),
    (colour, "mode", ["train/good/colour.png"]),
    (deep, "mode", ["train/good/deep.png"]),
    (blank, "not_blank", ["test/scratch/blank.png"]),
    (overexposed, "exposure", ["test/good/bright.png"]),
    (clipped, "saturation", ["test/good/clipped.png"]),
    (blurred, "sharpness", ["train/good/blurred.png"]),
]


@pytest.mark.parametrize("fault, code, paths", FAULTS,
                         ids=[f"{code}-{fault.__name__}" for fault, code, _ in FAULTS])
def test_a_fault_is_found_and_named(crafted, validate, fault, code, paths):
    fault(crafted)
    verdict = validate(crafted.manifest(), Validate(strictness="strict"))
    failures = {failure.expectation: failure for failure in verdict.failures}
    assert code in failures
    assert list(failures[code].paths) == paths
    assert len(failures[code].found) == len(paths)
    assert not verdict.passed
    assert failures[code].remedy in failures[code].message


def test_a_faultless_line_passes_strictly(crafted, validate):
    verdict = validate(crafted.manifest(), Validate(strictness="strict"))
    assert verdict.passed and not verdict.failures and verdict.reason == ""
    assert len(verdict.statistics) == 54
    observed = {result.expectation: result.observed for result in verdict.results}
    assert observed["enough_train"] == 24
    assert observed["mask_size"] == 10
    assert observed["exposure"] == 44


@pytest.mark.parametrize("fault, code, passes", [
    (truncated, "decodable", {"strict": False, "standard": False, "lenient": False}),
    (colour, "mode", {"strict": False, "standard": False, "lenient": True}),
    (blurred, "sharpness", {"strict": False, "standard": True, "lenient": True}),
])
def test_strictness_decides_what_stops_the_line(crafted, validate, fault, code, passes):
    fault(crafted)
    for strictness, passed in passes.items():
        verdict = validate(crafted.manifest(), Validate(strictness=strictness))
        assert verdict.passed is passed, strictness
        failure = next(f for f in verdict.failures if f.expectation == code)
        assert failure.severity == ("warning" if passed else "critical")
        assert failure in (verdict.warnings if passed else verdict.critical)


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
    from hdm.validation.validate import fingerprint
    before = fingerprint(crafted.manifest().frame)
    assert before == fingerprint(crafted.manifest().frame)
    crafted.change("test/good/000.png", group="another")
    assert before != fingerprint(crafted.manifest().frame)
