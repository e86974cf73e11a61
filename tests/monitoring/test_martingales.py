"""Ranks are uniform, bets are fair, and capital is what the recursion says."""

import numpy as np
import pytest
from scipy.special import ndtr

from hdm.monitoring.martingales import (
    capital,
    change_point,
    conformal_ranks,
    event_bets,
    rank_bets,
    wealth,
)


def naive_ranks(reference, values, ties):
    past, out = list(reference), []
    for value, tie in zip(values, ties, strict=True):
        below, same = sum(x < value for x in past), sum(x == value for x in past)
        out.append((below + tie * (same + 1)) / (len(past) + 1))
        past.append(value)
    return out


def test_ranks_by_hand() -> None:
    ranks = conformal_ranks(np.array([3.0, 1, 2]), np.array([2.5, 0, 2.5]), np.full(3, 0.5))
    assert ranks == pytest.approx([2.5 / 4, 0.5 / 5, 4 / 6])


def test_blocks_do_not_show() -> None:
    """More values than are ranked at once."""
    generator = np.random.default_rng(0)
    reference, values = generator.integers(0, 9, 12) * 1.0, generator.integers(0, 9, 1_100) * 1.0
    ties = generator.random(1_100)
    assert conformal_ranks(reference, values, ties) == pytest.approx(
        naive_ranks(reference, values, ties))
    assert len(conformal_ranks(reference, values[:0], ties[:0])) == 0


@pytest.mark.parametrize("draw", ["standard_normal", "coins"])
def test_ranks_of_exchangeable_values_are_uniform_and_independent(draw: str) -> None:
    """Also with three normals only, and with values most of which are equal."""
    generator = np.random.default_rng(1)
    ranks = []
    for _ in range(2_000):
        values = generator.standard_normal(9) if draw == "standard_normal" else \
            generator.integers(0, 2, 9) * 1.0
        ranks.append(conformal_ranks(values[:3], values[3:], generator.random(6)))
    found = np.array(ranks)
    assert found.mean(0) == pytest.approx(0.5, abs=0.03)  # 4.6 standard errors
    assert found.var(0) == pytest.approx(1 / 12, abs=0.01)
    correlation = np.corrcoef(found.T) - np.eye(6)
    assert np.abs(correlation).max() < 0.1


def test_bets_on_ranks_are_fair() -> None:
    z = np.linspace(-12, 12, 240_001)
    density = np.exp(-z**2 / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    inside = np.abs(z) < 8
    ranks = ndtr(z[inside])
    paid = np.exp(rank_bets(ranks, 10**12)) * density[inside, None]
    assert paid.sum(0) == pytest.approx(1, abs=2e-3)  # a spread of 2 reaches beyond 8


def test_weakening_bets_pay_nothing_in_the_end() -> None:
    bets = rank_bets(np.full(10_000, 0.99), 1)
    kinds = bets.shape[1] // 2
    assert np.abs(bets[0, kinds:]).max() > 0.1
    assert np.abs(bets[-1, kinds:]).max() < 1e-2 < np.abs(bets[-1, :kinds]).max()


def test_bets_on_events_are_fair_at_the_share_and_lose_below() -> None:
    paid = np.exp(event_bets(np.array([1.0, 0.0]), 0.05))
    assert 0.05 * paid[0] + 0.95 * paid[1] == pytest.approx(1)
    assert np.all(0.02 * paid[0] + 0.98 * paid[1] < 1)


def test_capital_is_the_recursion() -> None:
    bets = np.random.default_rng(2).normal(size=(30, 3))
    held = np.log(2) / np.log(np.arange(31) + 2)
    now, expected, total = np.zeros(3), [], []
    for bet, stake, left in zip(np.exp(bets), -np.diff(held), held[1:], strict=True):
        now = bet * (now + stake / 3)
        expected.append(now)
        total.append(now.sum() + left)
    assert np.exp(capital(bets)) == pytest.approx(np.array(expected))
    assert np.exp(wealth(capital(bets))) == pytest.approx(total)


def test_bets_that_pay_nothing_leave_the_capital_as_it_is() -> None:
    assert wealth(capital(np.zeros((500, 4)))) == pytest.approx(0, abs=1e-9)
    assert len(wealth(capital(np.zeros((0, 4))))) == 0


def test_capital_does_not_overflow() -> None:
    assert wealth(capital(np.full((5_000, 2), 3.0)))[-1] == pytest.approx(15_000, abs=10)
    assert np.isfinite(wealth(capital(np.full((5_000, 2), -3.0)))).all()


def test_change_point_is_the_start_that_pays_most() -> None:
    assert change_point(np.array([-1.0, -1, -1, 2, 2])) == 3
    assert change_point(np.array([1.0, 1, -5])) == 0
