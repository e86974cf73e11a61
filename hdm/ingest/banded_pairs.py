"""Pairs of vectors that may be alike, found by a banded hash and not by comparing all with all.

A vector is turned at random, and each block of its coordinates says which of them is largest, and
its sign: a letter of a code. Vectors that are alike share letters. Each two letters of a turn are a
band; what shares a band is compared by a sketch of signs, and what is left is a candidate. Time and
memory grow with the number of vectors.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

MISSED = 1e-4
"""Greatest probability that a pair at the limit is not found; pairs above it are missed less."""
_SHARE = ((0.6, 0.7, 0.8, 0.9, 0.97), (0.15, 0.239, 0.364, 0.569, 0.817))
"""Correlation -> probability that the largest coordinate of a block is one of the two largest of
another vector's, with its sign; simulated, blocks of 256."""
_BLOCKS, _BLOCK, _LETTERS = 16, 256, 512
_SIDE = 64
_BATCH = 1024
_SKETCH = 512  # signs
_HALF = _SKETCH // 2 // 64  # words
_STRAY = 5.0  # standard deviations that the sketch of a pair at the limit may be off
_CROWDED = 16  # candidates of a band, in those vectors, beyond which crowded places are cut short
_AT_ONCE = 2**16  # pairs; what is made of them stays in a processor's cache

Vectors = Callable[[NDArray[np.intp]], NDArray[np.float32]]
"""Numbers of vectors -> they (n, 4096), of unit length or zero."""


def turns(limit: float) -> int:
    """How many random turns find a pair of that correlation but for `MISSED`."""
    share = float(np.interp(limit, *_SHARE))
    lost = (1 - share) ** _BLOCKS * (1 + _BLOCKS * share / (1 - share))  # fewer than two letters
    return max(1, math.ceil(math.log(MISSED) / math.log(lost)))


def candidates(vectors: Vectors, rows: NDArray[np.intp], columns: NDArray[np.intp], limit: float,
               ) -> NDArray[np.intp]:
    """(m, 2) pairs of places in `rows` and `columns` whose vectors may have a correlation above
    `limit`, in order, each once."""
    number = turns(limit)
    sketches, letters = _codes(vectors, rows, number, 1)
    others, probes = _codes(vectors, columns, number, 2)
    # Zero vectors have nothing to be found by.
    there, asked = (np.flatnonzero(found.any(1)) for found in (sketches, others))
    sketches, others = sketches[there], others[asked]
    # Nearly all pairs are told apart by half a sketch, which is fetched faster.
    half, half_others = (found[:, :_HALF].copy() for found in (sketches, others))
    pairs = [np.empty(0, dtype=np.intp)]
    for turn in range(number):
        found = [np.empty(0, dtype=np.intp)]
        for row, column in _banded(letters[turn][there], probes[turn][asked]):
            near = _alike(half.take(row, 0), half_others.take(column, 0), limit)
            row, column = row[near], column[near]
            near = _alike(sketches.take(row, 0), others.take(column, 0), limit)
            found.append(there[row[near]] * len(columns) + asked[column[near]])
        pairs.append(np.unique(np.concatenate(found)))
    codes = np.unique(np.concatenate(pairs))
    return np.stack(np.divmod(codes, len(columns)), axis=1)


def _codes(vectors: Vectors, numbers: NDArray[np.intp], count: int, probes: int,
           ) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    """Sketches (n, 8), zero for a zero vector, and letters (turns, n, blocks, probes)."""
    rng = np.random.default_rng(0)
    signs = rng.choice(np.array([-1, 1], dtype=np.float32), (count + 1, _SIDE, _SIDE))
    mixing = (hadamard(_SIDE) / math.sqrt(_SIDE)).astype(np.float32)
    sketches = np.zeros((len(numbers), _SKETCH // 64), dtype=np.uint64)
    letters = np.empty((count, len(numbers), _BLOCKS, probes), dtype=np.uint16)
    for start in range(0, len(numbers), _BATCH):
        own = vectors(numbers[start:start + _BATCH])
        here = slice(start, start + len(own))
        mixed = mixing @ ((own.reshape(-1, _SIDE, _SIDE) * signs[0]) @ mixing)
        bits = np.packbits(np.greater(mixed.reshape(len(own), -1)[:, :_SKETCH], 0), axis=1)
        sketches[here] = bits.view(np.uint64) * np.any(own, axis=1, keepdims=True)
        for turn in range(count):
            turned = mixing @ ((mixed * signs[turn + 1]) @ mixing)
            letters[turn, here] = _largest(turned.reshape(len(own), _BLOCKS, _BLOCK), probes)
    return sketches, letters


def _alike(sketches: NDArray[np.uint64], others: NDArray[np.uint64], limit: float,
           ) -> NDArray[np.bool_]:
    """(n,) whether sketches (n, words) are as near as those of a pair at the limit may be."""
    bits, share = 64 * sketches.shape[1], math.acos(limit) / math.pi
    most = bits * share + _STRAY * math.sqrt(bits * share * (1 - share))
    near: NDArray[np.bool_] = np.bitwise_count(sketches ^ others).sum(1, dtype=np.int32) <= most
    return near


def _largest(values: NDArray[np.float32], probes: int) -> NDArray[np.uint16]:
    """The `probes` largest of each block and their signs, as letters."""
    size = np.abs(values)
    found = np.empty((*values.shape[:2], probes), dtype=np.uint16)
    for probe in range(probes):
        place = size.argmax(axis=2)[..., None]
        negative = np.take_along_axis(values, place, 2) < 0
        found[..., probe] = (place + _BLOCK * negative)[..., 0]
        np.put_along_axis(size, place, -1, 2)
    return found


def _banded(letters: NDArray[np.uint16], probes: NDArray[np.uint16],
            ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Places in `letters` (n, blocks, 1) and `probes` (m, blocks, 2) that share a band, by band."""
    crowd = _CROWDED * (len(letters) + len(probes))
    for second in range(1, _BLOCKS):
        by_second = np.argsort(letters[:, second, 0], kind="stable")
        for first in range(second):
            order = by_second[np.argsort(letters[by_second, first, 0], kind="stable")]
            keys = letters[:, first, 0].astype(np.int64) * _LETTERS + letters[:, second, 0]
            counts = np.bincount(keys, minlength=_LETTERS**2)
            begins = np.cumsum(counts) - counts
            asked = (probes[:, first, :, None].astype(np.int64) * _LETTERS
                     + probes[:, second, None, :]).reshape(-1)
            met = counts[asked]
            while met.sum() > crowd:
                met = np.minimum(met, max(1, int(met.max()) // 2))
                if met.max() == 1:
                    break
            yield from _expanded(order, begins[asked], met)


def _expanded(order: NDArray[np.intp], begins: NDArray[np.intp], met: NDArray[np.intp],
              ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Every place in `order` that each probe meets, so many at once as memory bears."""
    ends = np.cumsum(met)
    start = 0
    while start < len(met):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
        part = met[start:stop]
        total = int(ends[stop - 1]) - before
        inside = np.arange(total) - np.repeat(ends[start:stop] - part - before, part)
        rows = order[np.repeat(begins[start:stop], part) + inside]
        yield rows, np.repeat(np.arange(start, stop) // 4, part)
        start = stop
