"""Lines whose images are drawn themselves: print, binarised boards. What is shown tells nothing."""

from collections import Counter

import numpy as np
import pytest
from image_files import write
from plates import dent_mask

from hdm.errors import DataError
from hdm.ingest.readers import read_source
from hdm.pipelines import Source


def read(root):
    return read_source(root, Source(path=str(root)))


def kinds(found):
    return Counter(record.defect_type for record in found.records)


def white(marked):
    return marked.astype(np.uint8) * 255


def test_a_line_of_two_tones_is_not_taken_for_masks(tmp_path):
    """Print and binarised boards: what they show says nothing, so names alone do."""
    for folder, number in (("good", 14), ("hole", 4)):
        for index in range(number):
            write(tmp_path / folder / f"{index:03d}.png", white(dent_mask(index)))
    for index in range(4):
        write(tmp_path / f"masks/hole/{index:03d}.png", white(dent_mask(50 + index)))
    found = read(tmp_path)
    assert kinds(found) == {"good": 14, "hole": 4}
    assert all(len(record.masks) == record.label for record in found.records)


@pytest.mark.parametrize("name", ["hole/{:03d}.bmp", "good/{:03d}.bmp", "bitmaps/hole/{:03d}.png"])
def test_on_a_line_of_two_tones_masks_without_a_telling_name_are_a_question(tmp_path, name):
    for folder, number in (("good", 14), ("hole", 4)):
        for index in range(number):
            write(tmp_path / folder / f"{index:03d}.png", white(dent_mask(index)))
    for index in range(4):
        write(tmp_path / name.format(index), white(dent_mask(50 + index)))
    asked = r"which are masks|inside a folder that says the opposite"
    with pytest.raises(DataError, match=asked):
        read(tmp_path)
