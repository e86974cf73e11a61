"""Overlays: outlines where the defects are, a length bar, the verdict below."""

from types import SimpleNamespace

import numpy as np
import pytest

from hdm.detector.regions import RegionRule
from hdm.drawing.heatmaps import OUTLINE
from hdm.drawing.judged_picture import judged_picture
from hdm.drawing.overlay import LARGEST, SMALLEST, Caption, length_of_bar, overlay

SQUARE = [(10, 20), (10, 40), (30, 40), (30, 20)]


def green(picture) -> np.ndarray:
    return (np.asarray(picture) == OUTLINE).all(-1)


@pytest.mark.parametrize(("shape", "dtype"), [
    ((64, 64), np.uint8), ((64, 64, 3), np.uint8), ((64, 64), np.uint16), ((64, 64, 3), np.uint16),
    ((700, 900), np.uint8), ((3000, 2000, 3), np.uint8), ((64, 900), np.uint16)])
def test_outlines_are_where_the_defect_is(shape, dtype) -> None:
    image = np.full(shape, 90, dtype)
    shown = overlay(image, [SQUARE], Caption("defect", "score 3", ("a.png",)))
    longer = max(shape[:2])
    scale = min(LARGEST, max(SMALLEST, longer)) / longer
    rows, columns = np.nonzero(green(shown))
    left = (shown.width - round(shape[1] * scale)) // 2
    for found, wanted in ((rows, (20, 40)), (columns - left, (10, 30))):
        assert np.abs(np.array([found.min(), found.max()]) - np.array(wanted) * scale).max() <= 2
    assert max(shown.width, shown.height) <= LARGEST + 200


@pytest.mark.parametrize(("shape", "dtype"), [
    ((64, 64), np.uint8), ((90, 700, 3), np.uint8), ((1800, 900), np.uint16)])
def test_what_is_ignored_is_hatched(shape, dtype) -> None:
    image, ignored = np.full(shape, 90, dtype), np.zeros(shape[:2], bool)
    ignored[: shape[0] // 2] = True
    plain, shown = (np.asarray(overlay(image, [], Caption("good", ""), mask)).astype(int)
                    for mask in (None, ignored))
    changed = (plain != shown).any(-1)
    rows, half = np.flatnonzero(changed.any(1)), min(LARGEST, max(SMALLEST, *shape[:2])) \
        / max(shape[:2]) * shape[0] / 2
    assert rows[0] == 0 and abs(rows[-1] + 1 - half) <= 2
    assert len({tuple(colour) for colour in shown[changed]}) == 2, "grey, and lines on it"


@pytest.mark.parametrize(("width", "length"), [(128, 20), (100, 20), (80, 20), (2000, 500),
                                               (3, 1), (1, 1), (50, 10), (41, 10)])
def test_the_length_bar_is_a_round_number(width: int, length: int) -> None:
    assert length_of_bar(width) == length


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (2, 3)])
def test_any_picture_can_be_drawn(shape: tuple[int, int]) -> None:
    shown = overlay(np.zeros(shape, np.uint8), [], Caption("undecidable", "long " * 99))
    assert shown.width >= 480


@pytest.mark.parametrize(("decision", "value", "count"), [
    ("defect", 0.9, 1), ("good", 0.9, 0), ("defect", 0.1, 0), ("undecidable", 0.9, 1)])
def test_what_is_outlined_follows_the_decision(decision, value, count) -> None:
    anomaly = np.zeros((64, 64), np.float32)
    anomaly[20:40, 10:30] = value
    regions = RegionRule(0.5).regions(decision, anomaly)
    found = SimpleNamespace(decision=decision, score=2.0, threshold=1.0, reasons=(
        SimpleNamespace(sentence="It is too dark."),))
    shown = judged_picture(np.zeros((64, 64), np.uint8), "a.png", "plate, version 3", found,
                           regions)
    assert len(regions.told) == count and bool(green(shown).any()) == bool(count)
