"""Small faults of a line, each of which one expectation is to find."""

import shutil

import numpy as np
from crafted_line import mask_of
from PIL import Image, ImageFilter


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
    line.write(line.rows["test/scratch/004.png"]["mask_path"], mask_of(48, 40))


def empty_mask(line):
    line.write(line.rows["test/scratch/005.png"]["mask_path"], mask_of(side=0))


def mask_on_good(line):
    line.put("test/good/marked.png", "test", mask=mask_of())


def whole_mask(line):
    line.write(line.rows["test/scratch/007.png"]["mask_path"], np.full((40, 48), 255, np.uint8))


def drawn(line):
    pixels = np.full((40, 48), 60, np.uint8)
    pixels[:, 20:] = 190
    line.put("train/good/drawn.png", "train", pixels)


def left_aside(line):
    line.aside["extra/a.png"] = "an image that the layout mvtec has no place for"


def no_mask(line):
    line.change("test/scratch/006.png", mask_path=None)


def defect_in_train(line):
    line.change("train/good/010.png", label=1, defect_type="dent")


def two_spellings(line):
    line.put("test/Scratch/new.png", "test", mask=mask_of())


def tiny(line):
    line.put("test/good/tiny.png", "test", line.pixels(20, 60))


def colour(line):
    line.put("train/good/colour.png", "train", np.stack([line.pixels()] * 3, axis=2))


def deep(line):
    line.put("train/good/deep.png", "train", line.pixels().astype(np.uint16) * 257)


def blank(line):
    line.put("test/scratch/blank.png", "test", np.full((40, 48), 125, np.uint8), mask=mask_of())


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
