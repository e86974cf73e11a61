"""Pixel metrics: closed forms, plain scikit-learn and a brute-force AUPRO."""

import itertools
import time

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from hdm.errors import HDMError
from hdm.evaluation.pixels import (
    LEVELS,
    NO_MASKS,
    NO_NORMAL,
    PixelTally,
    aupro,
    pixel_ap,
    pixel_auroc,
    pro_curve,
    quantise,
    shares,
)


def scene(seed=0, images=6, side=24):
    """Maps that know something about two-blob masks; even images are good."""
    random = np.random.default_rng(seed)
    maps, masks = [], []
    for n in range(images):
        mask = np.zeros((side, side), dtype=bool)
        if n % 2:
            mask[2:5, 3:9] = True
            mask[12:12 + n, 10:20] = True
        noise = ndimage.gaussian_filter(random.normal(size=(side, side)), 1) * 3
        maps.append((1 / (1 + np.exp(-(noise + 1.2 * mask - 3)))).astype(np.float32))
        masks.append(mask)
    return maps, masks


def tally_of(maps, masks):
    tally = PixelTally()
    for values, mask in zip(maps, masks, strict=True):
        tally.add(quantise(values), mask if mask.any() else None)
    return tally


def brute_force_aupro(maps, masks, limit):
    """Every threshold in turn, every region in turn."""
    regions = []
    for values, mask in zip(maps, masks, strict=True):
        label, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [values[label == n] for n in range(1, count + 1)]
    normal = np.concatenate([values[~mask] for values, mask in zip(maps, masks, strict=True)])
    points = [(0.0, 0.0)]
    for threshold in np.unique(np.concatenate([v.ravel() for v in maps]))[::-1]:
        points.append(((normal >= threshold).mean(),
                       np.mean([(region >= threshold).mean() for region in regions])))
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 >= limit:
            break
        if x1 > limit:
            x1, y1 = limit, y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit


def test_quantising_keeps_the_order_and_the_value():
    values = np.linspace(0, 1, 100_001, dtype=np.float32)
    levels = quantise(values)
    assert levels.dtype == np.uint16
    assert (levels[0], levels[-1]) == (0, LEVELS - 1)
    assert (np.diff(levels.astype(int)) >= 0).all()
    assert np.abs(shares(levels) - values).max() < 1e-4


def test_quantising_tells_tiny_values_apart():
    assert len(set(quantise(np.float32([1e-6, 2e-6, 4e-6, 1e-9])))) == 4


def test_levels_pass_through():
    levels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert quantise(levels) is levels


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.5, np.inf])
def test_a_map_outside_its_range_is_refused(bad):
    with pytest.raises(HDMError, match=r"\[0, 1\]"):
        quantise(np.array([[0.5, bad]], dtype=np.float32))


def test_auroc_and_ap_agree_with_scikit_learn_on_the_pixels():
    maps, masks = scene()
    tally = tally_of(maps, masks)
    truth = np.concatenate([m.ravel() for m in masks])
    level = np.concatenate([quantise(m).ravel() for m in maps])
    assert pixel_auroc(tally).value == pytest.approx(roc_auc_score(truth, level), abs=1e-12)
    assert pixel_ap(tally).value == pytest.approx(average_precision_score(truth, level), abs=1e-12)
    # ... and the rounding itself does not matter.
    exact = np.concatenate([m.ravel() for m in maps])
    assert pixel_auroc(tally).value == pytest.approx(roc_auc_score(truth, exact), abs=1e-5)


@pytest.mark.parametrize("limit", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_aupro_agrees_with_brute_force(limit, seed):
    maps, masks = scene(seed)
    levels = [quantise(m) for m in maps]
    expected = brute_force_aupro(levels, masks, limit)
    assert aupro(tally_of(maps, masks), limit).value == pytest.approx(expected, abs=1e-9)


def test_a_perfect_map_has_aupro_one():
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:4, 2:4] = True
    assert aupro(tally_of([mask.astype(np.float32)], [mask]), 0.3).value == pytest.approx(1)


def test_a_constant_map_has_aupro_of_half_the_limit():
    # One straight line from (0, 0) to (1, 1): the area up to L is L² / 2.
    mask = np.zeros((8, 8), dtype=bool)
    mask[:2] = True
    constant = np.full((8, 8), 0.5, dtype=np.float32)
    assert aupro(tally_of([constant], [mask]), 0.3).value == pytest.approx(0.15)


def test_regions_count_alike_whatever_their_size():
    # The 16-pixel region is found at no false positive, the 1-pixel region never below the limit.
    mask = np.zeros((10, 10), dtype=bool)
    mask[:4, :4] = True
    mask[9, 9] = True
    values = np.full((10, 10), 0.5, dtype=np.float32)
    values[:4, :4] = 0.9
    values[9, 9] = 0.1
    # Flat at 1/2 once the large region is found: (0, 1/2) to (1, 1/2).
    assert aupro(tally_of([values], [mask]), 0.3).value == pytest.approx(0.5)


def test_pixels_that_touch_at_a_corner_are_one_region():
    mask = np.eye(4, dtype=bool)
    assert tally_of([np.zeros((4, 4), np.float32)], [mask]).regions == 1


def test_pro_curve_ends_exactly_at_the_limit():
    maps, masks = scene()
    rate, overlap = pro_curve(tally_of(maps, masks), 0.3)
    assert (rate[0], overlap[0]) == (0, 0)
    assert rate[-1] == pytest.approx(0.3, abs=1e-15)
    assert (np.diff(rate) >= 0).all()
    assert (np.diff(overlap) >= -1e-12).all()


def test_undefined_has_a_reason():
    good = PixelTally()
    good.add(np.zeros((4, 4), np.uint16), None)
    full = PixelTally()
    full.add(np.zeros((4, 4), np.uint16), np.ones((4, 4), dtype=bool))
    for metric in (pixel_auroc, pixel_ap, lambda tally: aupro(tally, 0.3)):
        assert (metric(good).value, metric(good).reason) == (None, NO_MASKS)
        assert (metric(full).value, metric(full).reason) == (None, NO_NORMAL)


def test_tallies_add_up():
    maps, masks = scene()
    whole = tally_of(maps, masks)
    parts = tally_of(maps[:3], masks[:3]) + tally_of(maps[3:], masks[3:])
    assert parts.regions == whole.regions
    assert parts.images == whole.images
    assert aupro(parts, 0.3).value == pytest.approx(aupro(whole, 0.3).value, abs=1e-12)


def test_ten_million_pixels_take_seconds():
    mask = np.zeros((1024, 1024), dtype=bool)
    mask[100:140, 200:300] = True
    levels = np.random.default_rng(0).integers(0, LEVELS, (1024, 1024)).astype(np.uint16)
    tally, start = PixelTally(), time.perf_counter()
    for n in range(10):
        tally.add(levels, mask if n % 2 else None)
    pixel_auroc(tally), pixel_ap(tally), aupro(tally, 0.3)
    assert time.perf_counter() - start < 5
