"""The table of evidence: robust deviations and readable cells."""

import numpy as np
import pandas as pd
import pytest

from hdm.validation.evidence_table import OK, deviations, evidence_table, usual_mode
from hdm.validation.statistics import measure


def table_of(crafted):
    manifest = crafted.manifest()
    return evidence_table(manifest.frame, measure(manifest)).set_index("path")


def test_deviations_are_in_units_of_the_robust_spread():
    reference = pd.Series([1.0, 2, 3, 4, 5])  # median 3, median absolute deviation 1
    values = deviations(pd.Series([3.0, 3 + 1.4826, 3 - 2 * 1.4826]), reference, 0.1)
    assert list(values) == pytest.approx([0, 1, -2])


def test_deviations_do_not_follow_one_wild_training_image():
    reference = pd.Series([1.0, 2, 3, 4, 1e9])
    assert deviations(reference, reference, 0.1).iloc[-1] > 1e8


def test_a_uniform_line_uses_the_floor():
    reference = pd.Series([0.5] * 9)
    assert list(deviations(pd.Series([0.52]), reference, 0.01)) == pytest.approx([2])


def test_without_training_images_nothing_deviates():
    empty = pd.Series([], dtype="float64")
    assert deviations(pd.Series([1.0, 2.0]), empty, 0.1).isna().all()


def test_a_faultless_line_has_ok_everywhere(crafted):
    table = table_of(crafted)
    for column in ("decoding", "content", "labelling", "defect_spelling", "splits_of_content",
                   "splits_of_group"):
        assert set(table[column]) == {OK}, column
    assert set(table["mask_size"].dropna()) == {OK}
    assert table["mask_size"].notna().sum() == 10
    assert set(table["mode"]) == {"8-bit grey"}
    assert table[["exposure_deviation", "sharpness_deviation"]].abs().max().max() < 8


def test_cells_tell_what_is_wrong(crafted):
    crafted.put("test/scratch/wide.png", "test", mask=np.ones((9, 7), np.uint8))
    crafted.change("train/good/000.png", label=1)
    crafted.change("train/good/001.png", label=1, defect_type="dent")
    crafted.put("test/Scratch/x.png", "test")
    crafted.change("test/good/001.png", group="part 1")
    crafted.change("train/good/002.png", group="part 1")
    table = table_of(crafted)
    assert table.loc["test/scratch/wide.png", "mask_size"] == "7×9 for an image of 48×40"
    assert table.loc["train/good/000.png", "labelling"] == "label 1, defect type good"
    assert table.loc["train/good/001.png", "labelling"] == "a defect in train"
    assert table.loc["test/Scratch/x.png", "defect_spelling"] == "Scratch / scratch"
    assert table.loc["test/good/001.png", "splits_of_group"] == "test and train"
    assert table.loc["train/good/003.png", "splits_of_group"] == OK


def test_undecodable_images_have_no_other_fault(crafted):
    (crafted.root / "test/scratch/000.png").write_text("text")
    row = table_of(crafted).loc["test/scratch/000.png"]
    assert row["decoding"] == "a text file"
    for column in ("content", "mode", "mask_size", "contrast", "exposure_deviation"):
        assert pd.isna(row[column]), column


def test_the_usual_mode_is_that_of_the_training_images(crafted):
    for index in range(90):
        crafted.put(f"test/good/colour{index}.png", "test", np.zeros((4, 4, 3), np.uint8))
    assert usual_mode(table_of(crafted).reset_index()) == "8-bit grey"
    crafted.drop(lambda row: row["split"] == "test")
    assert usual_mode(table_of(crafted).reset_index().iloc[:0]) is None
