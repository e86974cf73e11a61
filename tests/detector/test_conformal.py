"""What parts promise: closed forms, and draws of parts with pictures that are alike."""

import numpy as np
import pytest

from hdm.detector.conformal import (
    LIKELY,
    conformal_threshold,
    likely_rate,
    part_scores,
    picture_rate,
    rate_at_once,
)


def alike(random, parts, pictures, correlation):
    return correlation**0.5 * random.standard_normal((parts, 1)) \
        + (1 - correlation)**0.5 * random.standard_normal((parts, pictures))


@pytest.mark.parametrize("groups", [[7, 7, 3, 3, 3, 5], ["b", "b", "a", "a", "a", "c"]])
def test_a_part_has_the_score_of_its_oddest_picture(groups):
    assert part_scores([1.0, 4.0, 2.0, -1.0, 3.0, 0.5], groups).tolist() == [0.5, 3.0, 4.0]


@pytest.mark.parametrize("groups", [None, (), [0, 1, 2]])
def test_where_every_picture_is_its_own_part_nothing_changes(groups):
    scores = [3.0, 1.0, 2.0]
    assert part_scores(scores, groups).tolist() == [1.0, 2.0, 3.0]
    assert conformal_threshold(scores, 0.3, groups) == conformal_threshold(scores, 0.3)
    assert picture_rate(scores, groups, 1.5) == pytest.approx(3 / 4)


@pytest.mark.parametrize(("pictures", "correlation"), [(2, 0.0), (4, 0.5), (4, 1.0), (8, 0.75)])
def test_the_rate_of_parts_holds_however_alike_their_pictures_are(pictures, correlation):
    random, alarms, naive = np.random.default_rng(3), [], []
    groups = np.repeat(np.arange(39), pictures)
    for _ in range(4_000):
        scores = alike(random, 40, pictures, correlation)
        limit, enough = conformal_threshold(scores[:39].ravel(), 0.05, groups)
        assert enough
        alarms.append(scores[39].max() > limit)
        naive.append(scores[39].max() > conformal_threshold(scores[:39].ravel(), 0.05)[0])
    # 39 parts: the 38th of them, which is exceeded by 2 of 40.
    assert np.mean(alarms) == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 4_000)**0.5)
    assert correlation == 1 or np.mean(naive) > 0.07


def test_a_picture_counts_as_its_share_of_a_part():
    """One of two pictures of a, all of b, none of c: (1 + 1/2 + 1) / 4."""
    assert picture_rate([1, 9, 9, 9, 0], ["a", "a", "b", "b", "c"], 5) == pytest.approx(2.5 / 4)


@pytest.mark.parametrize("n", [1, 5, 27, 200])
def test_the_likely_rate_in_closed_form(n):
    """None above: the true rate exceeds x on (1 - x)^n of lines."""
    assert likely_rate(n, 0) == pytest.approx(1 - (1 - LIKELY)**(1 / n))


@pytest.mark.parametrize("n", [3, 10, 27, 100])
def test_the_bound_for_all_thresholds_holds_for_all_of_them_at_once(n):
    tails = 1 - np.sort(np.random.default_rng(9).random((4_000, n)), axis=1)
    bounds = np.array([rate_at_once(n, n - rank) for rank in range(1, n + 1)])
    assert (tails <= bounds).all(axis=1).mean() == pytest.approx(LIKELY, abs=0.02)
    assert all(bounds[n - 1 - above] > likely_rate(n, above) for above in range(n))


def test_it_is_tighter_than_bounds_that_share_the_doubt():
    from scipy.stats import beta
    for n, above in ((10, 1), (27, 1), (100, 5)):
        assert rate_at_once(n, above) < beta.isf((1 - LIKELY) / n, above + 1, n - above)
