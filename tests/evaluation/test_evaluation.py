"""All figures of a split of nine images, each worked out by hand."""

import dataclasses
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hdm.errors import DataError, HDMError
from hdm.evaluation.collected import THUMBNAIL_SIDE, thumbnail
from hdm.evaluation.evaluation import evaluate
from hdm.evaluation.metrics import NO_DEFECTS, NO_GOOD
from hdm.evaluation.pixels import NO_MASKS, quantise


def measured(split, settings):
    return evaluate(split.manifest, iter(split.ordered()), settings)


def test_image_figures(split, settings):
    found = measured(split, settings).metrics
    # 5 defects x 4 good: 0.4 loses to 0.6; everything else is won.
    assert found["image_auroc"] == pytest.approx(19 / 20)
    # Ranked D D D D g D g g g.
    assert found["image_ap"] == pytest.approx((4 + 5 / 6) / 5)
    assert (found["true_positives"], found["false_negatives"]) == (4, 1)
    assert (found["false_positives"], found["true_negatives"]) == (1, 3)
    assert found["recall"] == pytest.approx(4 / 5)
    assert found["precision"] == pytest.approx(4 / 5)
    assert found["image_f1"] == pytest.approx(4 / 5)
    assert found["false_alarm_rate"] == 0.25
    assert (found["image_recall"], found["image_false_alarm_rate"]) == (4 / 5, 0.25)
    assert (found["escapes"], found["false_alarms"], found["undecidable_parts"]) == (1, 1, 0)
    assert found["threshold"] == 0.5
    assert (found["images"], found["good"], found["defects"]) == (9, 4, 5)


def test_pixel_figures_leave_out_defects_without_masks(split, settings):
    found = measured(split, settings).metrics
    assert found["defects_without_mask"] == 2
    assert found["defect_regions"] == 3
    # Two of three masks are at 0.8, one is at 0.1 like all normal pixels: 2/3 + 1/3 * 1/2.
    assert found["pixel_auroc"] == pytest.approx(5 / 6)
    # Precision 1 to recall 2/3, then everything is called: 3 masks of 64 px in 7 images.
    assert found["pixel_ap"] == pytest.approx(2 / 3 + 1 / 3 * (3 * 64) / (7 * 32 * 32))
    # From (0, 2/3) straight to (1, 1); mean height over [0, 0.3].
    assert found["aupro"] == pytest.approx(2 / 3 + (1 / 3) * 0.3 / 2)


def test_by_defect_type(split, settings):
    table = measured(split, settings).by_type.set_index("defect_type")
    assert list(table.index) == ["dent", "scratch"]
    assert table.loc["dent", ["images", "masks"]].tolist() == [2, 0]
    assert table.loc["scratch", ["images", "masks"]].tolist() == [3, 3]
    assert table.loc["dent", "recall"] == 1
    assert table.loc["scratch", "recall"] == pytest.approx(2 / 3)
    assert table.loc["dent", "image_auroc"] == 1
    assert table.loc["scratch", "image_auroc"] == pytest.approx(11 / 12)
    assert table.loc["scratch", "pixel_auroc"] == pytest.approx(5 / 6)
    assert table.loc[["dent"], ["pixel_auroc", "aupro"]].isna().all(axis=None)


def test_intervals_hold_the_value(split, settings):
    found = measured(split, settings)
    assert {"image_auroc", "image_ap", "pixel_auroc"} <= set(found.intervals)
    for name, interval in found.intervals.items():
        assert interval.low <= found.metrics[name] <= interval.high, name


def test_scores_keep_the_manifests_order(split, settings):
    scores = measured(split, settings).scores
    assert scores["path"].tolist() == [row.path for row in split.manifest]
    assert scores.columns.tolist() == ["path", "label", "defect_type", "group", "score",
                                       "p_value", "probability", "decision", "reasons"]


def test_the_same_input_gives_the_same_output(split, settings):
    first, second = measured(split, settings), measured(split, settings)
    assert first.metrics == second.metrics
    assert first.intervals == second.intervals


def test_a_line_without_defects(builder, settings):
    for n in range(4):
        builder.add(f"g{n}", "good", 0.1 * n)
    found = measured(builder.build(), settings)
    for name in ("image_auroc", "image_ap", "image_f1", "recall"):
        assert (found.metrics[name], found.undefined[name]) == (None, NO_DEFECTS)
    for name in ("pixel_auroc", "pixel_ap", "aupro"):
        assert (found.metrics[name], found.undefined[name]) == (None, NO_MASKS)
    assert found.metrics["false_alarm_rate"] == 0
    assert found.by_type.empty
    assert found.intervals["image_auroc"].reason == NO_DEFECTS


def test_a_line_without_masks(builder, settings):
    builder.add("a", "good", 0.1).add("b", "good", 0.2).add("c", "dent", 0.9, mask=False)
    found = measured(builder.build(), settings)
    assert found.metrics["image_auroc"] == 1
    assert (found.metrics["pixel_auroc"], found.undefined["pixel_auroc"]) == (None, NO_MASKS)


def test_a_test_split_without_good_images(builder, settings):
    builder.add("c", "dent", 0.9).add("d", "dent", 0.8)
    found = measured(builder.build(), settings)
    assert (found.metrics["image_auroc"], found.undefined["image_auroc"]) == (None, NO_GOOD)
    assert found.metrics["pixel_auroc"] == 1  # there are normal pixels beside the defects


def test_one_group_has_no_interval_but_a_reason(builder, settings):
    builder.add("a", "good", 0.1, group="p").add("b", "dent", 0.9, group="p")
    found = measured(builder.build(), settings)
    assert found.intervals["image_auroc"].reason == "all test images are of one group"


@pytest.mark.parametrize("kinds", [("good",), ("dent",), ("good", "dent")])
def test_nothing_is_ever_nan(builder, settings, kinds):
    for kind in kinds:
        builder.add("a", kind, 0.3, mask=False)
    found = measured(builder.build(), settings)
    json.dumps([found.metrics, found.undefined], allow_nan=False)
    assert not any(isinstance(v, float) and math.isnan(v) for v in found.metrics.values())
    assert set(found.undefined) == {k for k, v in found.metrics.items() if v is None}


def test_a_mask_that_marks_nothing_is_no_mask(split, settings):
    row = next(row for row in split.manifest if row.defect_type == "scratch")
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(split.manifest.mask_file(row))
    assert measured(split, settings).metrics["defects_without_mask"] == 3


def test_a_mask_of_another_size_is_refused(split, settings):
    row = next(row for row in split.manifest if row.mask_path)
    Image.fromarray(np.full((16, 20), 255, np.uint8)).save(split.manifest.mask_file(row))
    with pytest.raises(DataError, match=r"32x32 px .* found 20x16"):
        measured(split, settings)


def test_a_score_that_is_no_number_is_refused(split, settings):
    predictions = split.ordered()
    predictions[3] = dataclasses.replace(predictions[3], score=float("nan"))
    with pytest.raises(HDMError, match="finite image score"):
        evaluate(split.manifest, predictions, settings)


def test_an_empty_test_split_is_refused(split, settings):
    with pytest.raises(HDMError, match="found none"):
        evaluate(split.manifest.split("holdout"), [], settings)


def test_predictions_are_not_kept(split, settings):
    """A generator is consumed one by one; only small things stay."""
    found = measured(split, settings)
    assert [small.dtype for small in found.thumbnails] == [np.uint8] * 9


def test_thumbnails_are_averages_and_never_enlarged():
    values = np.zeros((416, 832), dtype=np.float32)
    values[:, 416:] = 1
    small = thumbnail(quantise(values))
    assert small.shape == (104, THUMBNAIL_SIDE)
    assert set(np.unique(small)) == {0, 255}
    assert thumbnail(quantise(values[:10, 410:430])).shape == (10, 20)


@pytest.mark.parametrize(("path", "recall", "false_alarms", "good", "defects"), [
    ("test/scratch/s2.png", 1.0, 0.25, 0, 1), ("test/good/g0.png", 0.8, 0.5, 1, 0),
    ("test/good/g3.png", 0.8, 0.25, 1, 0), ("test/dent/d0.png", 0.8, 0.25, 0, 1)])
def test_what_is_undecidable_is_stopped_and_counted(split, settings, path, recall, false_alarms,
                                                    good, defects):
    told = replace(split.predictions[path], decision="undecidable",
                   reasons=(("too_dark", "It is."), ("clipped", "It is.")))
    found = measured(replace(split, predictions={**split.predictions, path: told}), settings)
    plain = measured(split, settings)
    assert found.metrics["recall"] == pytest.approx(recall)
    assert found.metrics["false_alarm_rate"] == pytest.approx(false_alarms)
    assert found.metrics["undecidable_good"] == good
    assert found.metrics["undecidable_defects"] == defects
    assert found.metrics["image_auroc"] == plain.metrics["image_auroc"]
    assert found.scores.set_index("path").loc[path, "reasons"] == "too_dark, clipped"
