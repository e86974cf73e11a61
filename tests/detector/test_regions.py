"""Regions: one a defect, exact in the picture's pixels."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hdm.dataset.input_format import InputFormat
from hdm.detector.region_outline import CORNERS, outline_of
from hdm.detector.regions import MOST, NO_REGIONS, RegionRule, find_regions, half_way, level_of

BOX = (slice(10, 14), slice(10, 20))


def map_of(*parts: tuple[tuple[slice, slice], float], shape: tuple[int, int] = (64, 64)
           ) -> np.ndarray:
    anomaly = np.zeros(shape, np.float32)
    for place, value in parts:
        anomaly[place] = value
    return anomaly


def boxes(anomaly: np.ndarray, *arguments: float) -> list[tuple[int, int, int, int]]:
    return [region[:4] for region in find_regions(anomaly, 0.5, *arguments).told]


@pytest.mark.parametrize("level", [None, 0.5])
@pytest.mark.parametrize("hidden", [
    (slice(None), slice(20, 23)), (slice(0, 30), slice(19, 24)), (slice(8, 16), slice(21, 22))])
def test_nothing_that_is_ignored_is_in_a_region_and_none_is_joined_over_it(hidden, level) -> None:
    anomaly, ignored = map_of(((slice(10, 14), slice(6, 36)), 0.9)), np.zeros((64, 64), bool)
    ignored[hidden] = True
    whole = RegionRule(0.3).regions("defect", anomaly, level)
    found = RegionRule(0.3).regions("defect", anomaly, level, ignored)
    assert (len(whole.told), len(found.told)) == (1, 2)
    assert sum(region.area for region in found.told) == np.count_nonzero((anomaly > 0) & ~ignored)
    for region in found.told:
        box = (slice(region.top, region.top + region.height),
               slice(region.left, region.left + region.width))
        assert not ignored[box].any()
    ignored[:] = True
    assert RegionRule(0.3).regions("defect", anomaly, level, ignored).told == ()


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_parts_of_one_defect_are_one_region(gap: int) -> None:
    right = (slice(10, 14), slice(20 + gap, 30))
    below = (slice(14 + gap, 20), slice(10, 20))
    assert boxes(map_of((BOX, 0.9), (right, 0.8))) == [(10, 10, 20, 4)]
    assert boxes(map_of((BOX, 0.9), (below, 0.8))) == [(10, 10, 10, 10)]


@pytest.mark.parametrize("gap", [4, 6, 20])
def test_parts_that_are_further_apart_are_two(gap: int) -> None:
    right = (slice(10, 14), slice(20 + gap, 30 + gap))
    assert boxes(map_of((BOX, 0.8), (right, 0.9))) == [
        (20 + gap, 10, 10, 4), (10, 10, 10, 4)]


@pytest.mark.parametrize(("side", "gap"), [(64, 3), (500, 10), (1000, 20)])
def test_what_is_close_grows_with_the_picture(side: int, gap: int) -> None:
    for apart, count in ((gap, 1), (gap + 1, 2)):
        anomaly = map_of((BOX, 0.9), ((slice(10, 30), slice(20 + apart, 40 + apart)), 0.9),
                         shape=(side, side))
        anomaly[10:30, 10:20] = 0.9
        assert len(boxes(anomaly)) == count


@pytest.mark.parametrize("places", [
    [(5, 5)], [(5, 40), (5, 43), (7, 46), (9, 44)], [(0, 0), (63, 63)]])
def test_single_pixels_vanish(places: list[tuple[int, int]]) -> None:
    anomaly = map_of((BOX, 0.7))
    for place in places:
        anomaly[place] = 1.0
    assert [region.peak for region in find_regions(anomaly, 0.5).told] == [pytest.approx(0.7)]
    anomaly[BOX] = 0
    assert find_regions(anomaly, 0.5).told == ()


@pytest.mark.parametrize(("cell", "side", "count"), [
    (1, 2, 1), (1, 1, 0), (4, 8, 1), (4, 7, 0), (2.5, 5, 1), (2.5, 4, 0)])
def test_a_region_is_no_smaller_than_the_map_can_show(cell: float, side: int, count: int) -> None:
    place = (slice(30, 30 + side), slice(40, 40 + side))
    assert len(boxes(map_of((place, 1.0), shape=(100, 100)), cell)) == count


def test_a_region_is_no_smaller_than_a_share_of_the_picture() -> None:
    for side, count in ((9, 0), (10, 1)):
        place = (slice(30, 30 + side), slice(40, 40 + side))
        assert len(boxes(map_of((place, 1.0), shape=(1000, 1000)))) == count


def test_facts_and_order() -> None:
    anomaly = map_of((BOX, 0.6), ((slice(40, 44), slice(50, 60)), 0.9),
                     ((slice(40, 43), slice(5, 9)), 0.6), shape=(64, 64))
    anomaly[12, 12] = 0.95
    found = find_regions(anomaly, 0.5)
    assert [(r.left, r.top, r.width, r.height, r.area, r.peak) for r in found.told] == [
        (10, 10, 10, 4, 40, 0.95), (50, 40, 10, 4, 40, 0.9), (5, 40, 4, 3, 12, 0.6)]
    assert found.told[2].outline == ((5, 40), (5, 43), (9, 43), (9, 40))
    assert find_regions(anomaly, 0.95) .told == ()  # not above the level


def test_of_many_regions_the_strongest_are_told_and_the_others_counted() -> None:
    anomaly = np.zeros((100, 100), np.float32)
    values = np.linspace(0.6, 1, 25)
    for number, value in enumerate(values):
        row, column = divmod(number, 5)
        anomaly[row * 20:row * 20 + 3, column * 20:column * 20 + 3] = value
    found = find_regions(anomaly, 0.5)
    assert len(found.told) == MOST and found.more == 25 - MOST
    assert [region.peak for region in found.told] == pytest.approx(values[::-1][:MOST], abs=1e-4)


@pytest.mark.parametrize(("canvas", "native"), [((32, 32), (128, 128)), ((48, 32), (96, 192)),
                                                ((128, 128), (64, 64))])
def test_a_map_that_was_resized_is_exact_in_the_pictures_pixels(canvas, native) -> None:
    scale = [n / c for n, c in zip(native, canvas, strict=True)]
    form = InputFormat(*canvas, 1, 0.0, 1.0, "resize")
    rule = RegionRule.of(0.0, (1.0, 0.0), form.as_dict())
    assert rule.level == 0.5 and rule.cell(*native) == max(1, *scale)
    anomaly = np.zeros(native, np.float32)
    top, left, bottom, right = (round(v) for v in (8 * scale[0], 12 * scale[1], 16 * scale[0],
                                                   24 * scale[1]))
    anomaly[top:bottom, left:right] = 0.99
    [region] = rule.regions("defect", anomaly).told
    assert region[:4] == (left, top, right - left, bottom - top)


@pytest.mark.parametrize(("scale", "cell"), [(1.0, 1.0), (0.5, 2.0), (0.25, 4.0), (2.0, 1.0)])
def test_cells_of_tiles_go_by_the_scale(scale: float, cell: float) -> None:
    form = InputFormat(128, 128, 1, 0.0, 1.0, "tile", scale)
    assert RegionRule.of(0.0, (1.0, 0.0), form.as_dict()).cell(700, 900) == cell


def test_good_pictures_have_none_unless_asked() -> None:
    rule, anomaly = RegionRule(0.5), map_of((BOX, 0.9))
    assert rule.regions("good", anomaly) == NO_REGIONS
    for decision in ("defect", "undecidable"):
        assert len(rule.regions(decision, anomaly).told) == 1
    assert len(rule.regions("good", anomaly, level=0.2).told) == 1
    assert rule.regions("defect", anomaly, level=0.95).told == ()


def test_a_defect_reaches_as_far_as_half_of_its_evidence() -> None:
    assert half_way(0.5, 0.99) == pytest.approx(1 / (1 + 99 ** -0.5))
    assert half_way(0.9, 0.9) == pytest.approx(0.9)
    assert half_way(0.5, 1.0) == half_way(0.5, 0.999)
    fading = map_of(((slice(5, 19), slice(5, 25)), 0.6), (BOX, 0.99))
    assert [r[:4] for r in RegionRule(0.5).regions("defect", fading).told] == [(10, 10, 10, 4)]
    assert len(find_regions(fading, 0.5).told) == 1 and boxes(fading) == [(5, 5, 20, 14)]


@pytest.mark.parametrize(("second", "count"), [(0.95, 2), (0.8, 1), (0.55, 1)])
def test_weak_places_beside_a_defect_are_left_out(second: float, count: int) -> None:
    both = map_of((BOX, 0.99), ((slice(40, 50), slice(40, 50)), second))
    assert len(RegionRule(0.2).regions("defect", both).told) == count


@pytest.mark.parametrize("value", [0.3, 0.49, 0.6])
def test_a_weak_defect_alone_is_told(value: float) -> None:
    found = RegionRule(0.2).regions("defect", map_of((BOX, value)))
    assert [region[:4] for region in found.told] == [(10, 10, 10, 4)]
    assert found.level < value


def test_the_level_is_the_map_where_the_evidence_is_at_the_threshold() -> None:
    assert level_of(3.0, (2.0, -6.0)) == 0.5
    assert level_of(4.0, (2.0, -6.0)) == pytest.approx(1 / (1 + np.exp(-2)))
    assert level_of(1e9, (1.0, 0.0)) == 1.0
    assert level_of(-1e9, (1.0, 0.0)) == pytest.approx(0.0)


@pytest.mark.parametrize("anomaly", [np.ones((1, 1)), np.full((3, 4), np.nan), np.ones((1, 5000)),
                                     np.ones((5000, 1)), np.zeros((4, 4))])
def test_odd_maps_are_no_trouble(anomaly: np.ndarray) -> None:
    for region in find_regions(anomaly.astype(np.float32), 0.5).told:
        assert region.width * region.height == region.area == anomaly.size


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 9))
@example(8, 2, 8828382, 1)
@settings(max_examples=60, deadline=None)
def test_an_outline_has_few_corners_within_its_frame(height, width, seed, gap) -> None:
    mask = np.random.default_rng(seed).random((height, width)) > 0.4
    mask[0, 0] = True
    corners = outline_of(mask, gap)
    assert 3 <= len(corners) <= CORNERS and len(set(corners)) == len(corners)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in corners)
    whole = np.ones((height, width), bool)
    assert set(outline_of(whole, gap)) == {(0, 0), (width, 0), (width, height), (0, height)}
