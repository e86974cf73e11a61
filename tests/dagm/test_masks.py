"""Properties of the mask library, for any size, foreground and seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdm.dagm.masks import FAMILIES, MINIMUM_PIXELS, draw_mask, noise_field

SIZES = st.tuples(st.integers(32, 80), st.integers(32, 80))
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(size=SIZES, seed=SEEDS)
def test_without_foreground(size, seed):
    name, mask = draw_mask(np.random.default_rng(seed), size)
    assert name in FAMILIES
    assert mask.shape == size and mask.dtype == bool
    assert MINIMUM_PIXELS <= mask.sum() <= 0.6 * mask.size
    again = draw_mask(np.random.default_rng(seed), size)
    assert again[0] == name and np.array_equal(again[1], mask)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(size=SIZES, seed=SEEDS, share=st.sampled_from([0.0005, 0.02, 0.3, 1.0]))
def test_inside_the_foreground(size, seed, share):
    rng = np.random.default_rng(seed)
    front = np.zeros(size, bool)
    side = np.maximum(1, (np.array(size) * share**0.5).astype(int))
    top, left = (int(rng.integers(s - e + 1)) for s, e in zip(size, side, strict=True))
    front[top:top + side[0], left:left + side[1]] = True
    before = front.copy()
    _, mask = draw_mask(rng, size, front)
    assert mask.any() and not (mask & ~front).any()
    assert np.array_equal(front, before), "the foreground is not written to"


def test_an_empty_foreground_is_no_foreground():
    _, mask = draw_mask(np.random.default_rng(0), (32, 32), np.zeros((32, 32), bool))
    assert mask.any()


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_gives_bool_masks_that_differ(name):
    masks = [FAMILIES[name][1](np.random.default_rng(seed), (40, 56)) for seed in range(25)]
    assert all(mask.shape == (40, 56) and mask.dtype == bool for mask in masks)
    assert sum(mask.any() for mask in masks) >= 15
    assert len({mask.tobytes() for mask in masks}) >= 15


def test_areas_range_from_specks_to_a_tenth_of_the_image():
    rng = np.random.default_rng(0)
    areas = np.array([draw_mask(rng, (64, 64))[1].mean() for _ in range(300)])
    assert np.quantile(areas, 0.1) < 0.01 and np.quantile(areas, 0.9) > 0.05


def test_a_bite_touches_the_border():
    touching = []
    for seed in range(40):
        mask = FAMILIES["bite"][1](np.random.default_rng(seed), (48, 48))
        if mask.any():
            edge = np.ones((48, 48), bool)
            edge[2:-2, 2:-2] = False
            touching.append(bool((mask & edge).any()))
    assert len(touching) > 20 and np.mean(touching) > 0.9


@settings(max_examples=30, deadline=None, derandomize=True)
@given(size=SIZES, seed=SEEDS, period=st.floats(1.5, 60))
def test_noise_field_is_smooth_and_bounded(size, seed, period):
    field = noise_field(np.random.default_rng(seed), size, period)
    assert field.shape == size and np.isfinite(field).all()
    assert np.abs(field).max() < 1.8
    assert np.abs(np.diff(field, axis=0)).max() < 8 / period
