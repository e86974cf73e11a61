"""Selection: reason codes for crafted evidence, floors, diversity, and the funnel."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdm.dagm.blending import VISIBLE_PIXELS
from hdm.model_settings import PomFilter
from hdm.pom.generation.selection import KEPT, REASONS, _farthest, diverse, select

SETTINGS = PomFilter(keep=1.0, minimum_gap=0.95, minimum_detectability=0.6, source_floor=0.1)
DEFAULT = {"source": "fill", "gap": 5.0, "chance_gap": 0.0, "detectability": 0.9}


def choose(rows, visible=None, points=None, settings=SETTINGS):
    evidence = pd.DataFrame([DEFAULT | row for row in rows])
    visible = np.full(len(rows), 50) if visible is None else np.array(visible)
    points = np.random.default_rng(0).normal(size=(len(rows), 3)) if points is None else points
    return select(evidence, visible, points, settings)


def reasons(*args, **how):
    return choose(*args, **how).table["reason"].tolist()


def test_each_reason_has_its_evidence():
    rows = [{}, {}, {"gap": -1.0, "detectability": 0.62}, {"detectability": 0.5},
            {"gap": -1.0, "detectability": 0.99}]
    assert reasons(rows, visible=[50, 0, 50, 50, 50]) == [
        KEPT, "no_visible_change", "likely_normal", "undetectable", KEPT]


def test_invisible_change_comes_before_all_other_reasons():
    assert reasons([{"gap": -1, "detectability": 0.1}], visible=[0]) == ["no_visible_change"]


def test_who_just_reaches_a_floor_passes_it():
    """Chance reaches a gap of 1; what is as likely must be found 0.1 better than the minimum."""
    settings = PomFilter(keep=1.0, minimum_gap=0.95, minimum_detectability=0.5)
    rows = [{"gap": 1.0, "detectability": 0.55}, {"gap": 0.999, "detectability": 0.55},
            {"gap": 0.999, "detectability": 0.6}, {"detectability": 0.5},
            {"detectability": 0.499}, {}, {}]
    found = reasons([{"chance_gap": 1.0} | row for row in rows], settings=settings,
                    visible=[50] * 5 + [VISIBLE_PIXELS, VISIBLE_PIXELS - 1])
    assert found == [KEPT, "likely_normal", KEPT, KEPT, "undetectable", KEPT, "no_visible_change"]


def test_gap_floor_is_the_quantile_of_chance():
    rows = [{"chance_gap": c, "gap": 10.0} for c in np.linspace(0, 1, 101)]
    selection = choose(rows)
    assert selection.gap_floor == pytest.approx(0.95)
    low, high = {"gap": 0.94, "detectability": 0.62}, {"gap": 0.96, "detectability": 0.62}
    assert reasons([*rows, *[low, high] * 1])[-2:] == ["likely_normal", KEPT]


def test_keep_thins_to_the_budget_and_calls_the_rest_redundant():
    settings = PomFilter(keep=0.25, minimum_detectability=0.6)
    found = reasons([{}] * 40, settings=settings)
    assert found.count(KEPT) == 10 and found.count("redundant") == 30


def test_identical_samples_still_fill_the_budget():
    settings = PomFilter(keep=0.5, minimum_detectability=0.6)
    found = reasons([{}] * 20, points=np.zeros((20, 3)), settings=settings)
    assert found.count(KEPT) == 10


def test_of_samples_that_are_alike_one_is_kept():
    """Five heaps of eight, in whatever order: one of each heap, and those of one heap differ."""
    heap = np.random.default_rng(2).permutation(np.repeat(np.arange(5), 8))
    points = np.c_[100.0 * heap, np.random.default_rng(0).normal(size=40)]
    settings = PomFilter(keep=5 / 40, minimum_detectability=0.6)
    assert sorted(heap[choose([{}] * 40, points=points, settings=settings).kept]) == [0, 1, 2, 3, 4]


def test_only_what_is_good_enough_is_thinned():
    """Lone samples that no probe can find do not push out alike ones that it can."""
    points = np.r_[np.zeros((4, 1)), [[1e3], [2e3], [3e3], [4e3]]]
    rows = [{}] * 4 + [{"detectability": 0.1}] * 4
    settings = PomFilter(keep=3 / 8, minimum_detectability=0.6)
    found = reasons(rows, points=points, settings=settings)
    assert sorted(found[:4]) == [KEPT] * 3 + ["redundant"] and found[4:] == ["undetectable"] * 4


def test_every_source_keeps_its_floor():
    """Ten near-identical samples of a rare source against ninety that are spread wide."""
    rng = np.random.default_rng(0)
    points = np.r_[rng.normal(0, 1e-3, (30, 2)), rng.normal(0, 100, (90, 2))]
    rows = [{"source": "rare"}] * 30 + [{"source": "wide"}] * 90
    settings = PomFilter(keep=0.2, minimum_detectability=0.6, source_floor=0.2)
    table = choose(rows, points=points, settings=settings).table
    kept = table[table["reason"] == KEPT]["source"].value_counts()
    assert kept["rare"] >= 6 and kept.sum() == 24


def test_a_source_has_the_share_of_training_that_is_approved_of_it():
    rows = [{"source": "fill"}] * 3 + [{"source": "shuffle", "detectability": 0.1}] * 2
    rows += [{"source": "structural"}, {"source": "structural", "detectability": 0.1}]
    assert choose(rows).funnel()["shares"] == {"fill": 0.75, "shuffle": 0, "structural": 0.25}


def test_nothing_kept_is_no_error():
    selection = choose([{"detectability": 0.1}] * 4)
    assert len(selection.kept) == 0
    assert set(selection.funnel()["shares"].values()) == {0}
    assert selection.funnel()["reasons"]["undetectable"]["count"] == 4


@settings(max_examples=60, deadline=None, derandomize=True)
@given(n=st.integers(1, 60), seed=st.integers(0, 1000), keep=st.floats(0.05, 1))
def test_funnel_counts_every_candidate_once(n, seed, keep):
    rng = np.random.default_rng(seed)
    rows = [{"source": str(rng.choice(["a", "b", "c"])), "gap": rng.normal(),
             "chance_gap": rng.normal(), "detectability": rng.random()} for _ in range(n)]
    selection = choose(rows, visible=rng.integers(0, 9, n),
                       settings=PomFilter(keep=keep, minimum_detectability=0.55))
    funnel = selection.funnel()
    assert funnel["candidates"] == n == len(selection.table)
    assert sum(entry["count"] for entry in funnel["reasons"].values()) == n
    assert list(funnel["reasons"]) == list(REASONS)
    assert sum(sum(row.values()) for row in funnel["by_source"].values()) == n
    assert len(selection.kept) == funnel["reasons"][KEPT]["count"] <= max(1, round(keep * n))


def test_equal_evidence_gives_the_same_samples():
    rows = [{"detectability": d} for d in np.linspace(0, 1, 30)]
    settings = PomFilter(keep=0.3)
    pd.testing.assert_frame_equal(choose(rows, settings=settings).table,
                                  choose(rows, settings=settings).table)


def test_farthest_point_order_on_a_line():
    points = np.array([[0.0], [1.0], [2.0], [10.0], [-4.0]])
    assert _farthest(points, 4).tolist() == [0, 3, 4, 2]
    assert _farthest(points, 3, [3]).tolist() == [4, 2]
    assert sorted(_farthest(points, 99).tolist()) == [0, 1, 2, 3, 4]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(n=st.integers(1, 40), budget=st.integers(1, 40), floor=st.floats(0, 1),
       distinct=st.integers(1, 5), seed=st.integers(0, 99))
def test_diverse_gives_as_many_different_indices_as_asked(n, budget, floor, distinct, seed):
    rng = np.random.default_rng(seed)
    points = rng.integers(0, distinct, (n, 2)).astype(float)
    chosen = diverse(points, rng.choice(["a", "b"], n), min(budget, n), floor)
    assert len(chosen) == len(set(chosen.tolist())) == min(budget, n)
    assert chosen.tolist() == sorted(chosen.tolist()) and chosen.max() < n


@settings(max_examples=60, deadline=None, derandomize=True)
@given(n=st.integers(1, 9), budget=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_nothing_left_out_is_far_from_all_that_is_kept(n, budget, seed):
    """At most twice as far as in the best choice of that many (Gonzalez 1985)."""
    points = np.random.default_rng(seed).normal(size=(n, 2)) ** 3
    budget = min(budget, n)

    def farthest(chosen):
        return max(min(np.linalg.norm(point - points[i]) for i in chosen) for point in points)

    best = min(farthest(chosen) for chosen in combinations(range(n), budget))
    assert farthest(diverse(points, np.full(n, "a"), budget, 0.0)) <= 2 * best + 1e-9
