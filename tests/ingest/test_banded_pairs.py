"""What the banded hash finds is what comparing all with all finds."""

import numpy as np
import pytest

from hdm.ingest import duplicates
from hdm.ingest.banded_pairs import candidates, turns
from hdm.ingest.duplicates import near_duplicates
from hdm.ingest.thumbnails import SIDE


def line(number, copies, alike, seed):
    """Thumbnails of parts of their own, of which `copies` of one side resemble one of the other."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 3000, (number, SIDE, SIDE))
    fit = rng.random(number) < 0.6
    first, second = np.flatnonzero(fit)[:copies], np.flatnonzero(~fit)[:copies]
    share = rng.uniform(*alike, copies)[:, None, None]
    own[second] = share * own[first] + np.sqrt(1 - share**2) * own[second]
    pictures = rng.uniform(20000, 40000, (SIDE, SIDE)) + own
    return pictures.clip(0, 65535).astype(np.uint16), fit


def found(pictures, fit):
    return [(pair.first, pair.second, round(pair.correlation, 4)) for pair in
            near_duplicates(pictures, np.ones(len(pictures)), fit, ~fit)]


@pytest.mark.parametrize(("number", "copies", "alike"), [
    (40, 6, (0.9, 1.0)), (700, 0, (0, 0)), (700, 150, (0.5, 1.0)), (1500, 250, (0.58, 0.75))])
@pytest.mark.parametrize("seed", range(2))
def test_the_same_copies_are_found_as_by_all_pairs(monkeypatch, number, copies, alike, seed):
    pictures, fit = line(number, copies, alike, seed)
    expected = found(pictures, fit)
    monkeypatch.setattr(duplicates, "ALL_PAIRS", 0)
    assert found(pictures, fit) == expected
    assert bool(expected) == bool(copies)


def test_many_blank_pictures_are_nobodys_copies(monkeypatch):
    pictures, fit = line(300, 20, (0.8, 1.0), 0)
    pictures[100:] = 65535
    expected = found(pictures, fit)
    monkeypatch.setattr(duplicates, "ALL_PAIRS", 0)
    assert found(pictures, fit) == expected


def test_a_higher_limit_needs_fewer_turns():
    assert [turns(limit) for limit in (0.6, 0.7, 0.8, 0.9, 0.97)] == [8, 4, 2, 1, 1]


def test_vectors_of_nothing_have_no_candidates():
    vectors = np.zeros((50, SIDE * SIDE), dtype=np.float32)
    numbers = np.arange(50)
    assert not len(candidates(vectors.__getitem__, numbers[:20], numbers[20:], 0.6))


def test_where_all_are_alike_the_work_stays_bounded_and_copies_are_found():
    rng = np.random.default_rng(0)
    vectors = (0.2 * rng.normal(size=(2000, SIDE * SIDE)) + rng.normal(size=SIDE * SIDE))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    numbers = np.arange(2000)
    assert len(candidates(vectors.__getitem__, numbers[:1000], numbers[1000:], 0.9))
