"""Ignored pixels are in no figure; a defect that lies there alone is neither defect nor good."""

import numpy as np
import pytest
from small_split import SIDE, nine_images

from hdm.dataset.ignore_mask import IgnoreMask, ignored_pixels
from hdm.evaluation.evaluation import evaluate
from hdm.evaluation.inspected import inspected
from hdm.evaluation.pixels import LEVELS, PixelTally


def text(rows: slice, columns: slice) -> str:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[rows, columns] = True
    return IgnoreMask.of(mask).text()


WHOLE, PART, ELSEWHERE = (text(slice(2, 14), slice(2, 14)), text(slice(2, 14), slice(2, 8)),
                          text(slice(20, 30), slice(0, 32)))
"""Of the defects, which lie at 4..12."""


@pytest.mark.parametrize(("ignored", "kept", "hidden"), [
    ("", 9, 0), (ELSEWHERE, 9, 0), (PART, 9, 0), (WHOLE, 6, 3)])
def test_defects_that_are_ignored_whole_are_left_out(builder, ignored, kept, hidden) -> None:
    found, count = inspected(nine_images(builder).manifest, ignored)
    assert (len(found), count) == (kept, hidden)
    assert "scratch" not in set(found.frame["defect_type"]) or not hidden
    assert sum(found.frame["defect_type"] == "dent") == 2, "no mask says where they are"


@pytest.mark.parametrize("ignored", [ELSEWHERE, PART])
def test_what_a_map_says_there_changes_no_figure(builder, settings, ignored) -> None:
    split = nine_images(builder)
    hidden = ignored_pixels(ignored, SIDE, SIDE)
    plain = evaluate(split.manifest, split.ordered(), settings, ignored)
    for prediction in split.predictions.values():
        prediction.anomaly_map[hidden] = 0.999
    wild = evaluate(split.manifest, split.ordered(), settings, ignored)
    assert wild.metrics == plain.metrics and wild.intervals == plain.intervals
    assert wild.metrics["pixel_auroc"] != evaluate(
        split.manifest, split.ordered(), settings).metrics["pixel_auroc"]


@pytest.mark.parametrize("seed", range(3))
def test_pixels_are_counted_once_or_not_at_all(seed) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, LEVELS, (20, 30)).astype(np.uint16)
    mask, ignored = rng.random((2, 20, 30)) < 0.3
    tally = PixelTally()
    tally.add(levels, mask, ignored)
    tally.add(levels, None, ignored)
    assert tally.defect.sum() == (mask & ~ignored).sum()
    assert tally.normal.sum() == (~mask & ~ignored).sum() + (~ignored).sum()
