"""Which held-out parts join evidence, and which set thresholds."""

import numpy as np
import pytest

from hdm.dataset.held_out import joining


@pytest.mark.parametrize(("parts", "joined"), [
    (2, 1), (4, 2), (6, 3), (10, 3), (19, 4), (25, 6), (27, 6), (100, 25), (402, 100)])
def test_a_quarter_of_the_parts_joins(parts, joined):
    found = joining([f"{number}" for number in range(parts)])
    assert found.sum() == joined and found.dtype == bool


@pytest.mark.parametrize("pictures", [1, 2, 5])
def test_parts_stay_whole(pictures):
    groups = np.random.default_rng(0).permutation([f"p{n // pictures}" for n in range(60)]).tolist()
    found = joining(groups)
    chosen = {group for group, joins in zip(groups, found, strict=True) if joins}
    left = {group for group, joins in zip(groups, found, strict=True) if not joins}
    assert chosen and left and not chosen & left


def test_they_are_spread_over_the_line():
    places = np.flatnonzero(joining([f"{number}" for number in range(100)]))
    assert np.diff(places).tolist() == [4] * 24


@pytest.mark.parametrize("groups", [["a"], ["a", "a", "a"]])
def test_a_single_part_does_both(groups):
    assert joining(groups).all()


def test_nothing_is_held_out():
    assert joining([]).tolist() == []
