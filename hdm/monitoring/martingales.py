"""Test martingales: evidence of change that may be looked at as often as one likes.

A test martingale is the capital of a gambler who starts with 1 and bets against "nothing has
changed". While that is true, no strategy makes it reach 1 / alpha with a probability above alpha,
whenever one looks (Ville 1939). The bets here are on conformal ranks (Vovk, Gammerman and Shafer,
"Algorithmic Learning in a Random World", 2005; Volkhonskiy et al., "Inductive conformal
martingales for change-point detection", 2017): the rank of each new value among all before it is
uniform and independent of the earlier ranks, exactly, however few values there are.

All capital is kept as its natural logarithm.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]

SHIFTS = (0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0)
"""Bets on a shift of so many standard deviations."""
SCALES = (0.5, 0.75, 1.5, 2.0)
"""Bets on a standard deviation that is so many times as large."""
ODDS = (1.5, 3.0, 10.0, 300.0)
"""Bets on events that are likelier; the last is on nearly all of them, as when a lamp dies."""
PATIENCE = 2.0
"""The larger, the more of the capital is left for changes that begin late."""

_BLOCK = 512


def conformal_ranks(reference: Array, values: Array, ties: Array) -> Array:
    """Rank in (0, 1) of each value among the reference and the values before it, in their order.

    (#smaller + u (#equal + 1)) / (#all + 1). Where reference and values are exchangeable the
    ranks are independent and uniform.

    Args:
        reference: (n,). values: (m,). ties: (m,) uniform in (0, 1), independent of the values.
    """
    past = np.sort(np.asarray(reference, dtype=float))
    out = np.empty(len(values))
    for start in range(0, len(values), _BLOCK):
        block = np.asarray(values[start:start + _BLOCK], dtype=float)
        earlier = np.tri(len(block), k=-1, dtype=bool)
        below = np.searchsorted(past, block, side="left")
        same = np.searchsorted(past, block, side="right") - below
        below = below + ((block[None] < block[:, None]) & earlier).sum(1)
        same = same + ((block[None] == block[:, None]) & earlier).sum(1)
        total = len(past) + np.arange(len(block)) + 1
        out[start:start + _BLOCK] = (below + ties[start:start + _BLOCK] * (same + 1)) / total
        past = np.sort(np.concatenate([past, block]), kind="stable")
    return out


def rank_bets(ranks: Array, reference: int) -> Array:
    """Logarithm of what each bet pays: (m, bets).

    Each is the density of the ranks if the normal scores of the values shifted by SHIFTS or spread
    by SCALES, so that it pays 1 on average while ranks are uniform. Every bet is there twice: as
    it is, for changes that begin late, and growing weaker as the share of the `reference` among
    all values does. For after a change at the very start most of what a value is ranked among
    has changed, too.
    """
    weight = reference / (reference + np.arange(1, len(ranks) + 1))[:, None]
    z = ndtri(ranks)[:, None]
    shifts, scales = np.array(SHIFTS), np.array(SCALES)
    return np.concatenate([bets for power in (np.ones_like(weight), weight) for bets in (
        _shifted(z, shifts * power), _spread(z, scales**power))], axis=1)


def _shifted(z: Array, shift: Array) -> Array:
    return shift * z - shift**2 / 2


def _spread(z: Array, scale: Array) -> Array:
    return z**2 / 2 * (1 - scale**-2) - np.log(scale)


def event_bets(events: Array, share: float) -> Array:
    """Logarithm of what bets on events, (m,) of 0 and 1, above `share` pay: (m, bets).

    Likelihood ratios of shares whose odds are as many times as high as ODDS; each pays at most 1 on
    average while no event is likelier than `share`, whatever came before.
    """
    odds = share / (1 - share) * np.array(ODDS)
    other = odds / (1 + odds)
    return np.where(events[:, None] > 0, np.log(other / share), np.log((1 - other) / (1 - share)))


def capital(bets: Array) -> Array:
    """Capital on each bet after each value: (m, bets), for `rank_bets` or `event_bets`.

    As nobody knows when a change begins, a share of the capital is laid on each value as the
    start: log c (1 / log(j + c - 1) - 1 / log(j + c)), which falls little faster than 1 / j.
    """
    count, kinds = bets.shape
    summed = np.cumsum(bets, axis=0)
    before = np.vstack([np.zeros(kinds), summed[:-1]]) if count else summed
    held = _unspent(np.arange(count + 1))
    stakes = np.log(-np.diff(held))[:, None] - np.log(kinds)
    out: Array = summed + np.logaddexp.accumulate(stakes - before, axis=0)
    return out


def wealth(capitals: Array) -> Array:
    """All of the capital after each value, (m,): what is on the bets, and what is not yet."""
    unspent = np.log(_unspent(np.arange(1, len(capitals) + 1)))
    return np.asarray(np.logaddexp(np.logaddexp.reduce(capitals, axis=1), unspent))


def change_point(bets: Array) -> int:
    """Where the change that one bet (m,) is on most likely began: the most paying start."""
    return int(np.argmin(np.concatenate([[0.0], np.cumsum(bets)[:-1]])))


def _unspent(count: NDArray[np.int_]) -> Array:
    return np.asarray(np.log(PATIENCE) / np.log(count + PATIENCE))
