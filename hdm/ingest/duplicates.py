"""Copies of one picture on both sides of the train / test border.

Exact copies have the same decoded pixels. Near copies were re-encoded, saved in another format or
slightly resized. Different parts in one fixture look alike too, so the rule does not ask how alike
two images are, but whether they share what is peculiar to them: fine detail that is left after the
main variation of the training images (mean and leading components) has been taken out. Another
exposure of the same part keeps that detail but changes the level, and is not a copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdm.dataset.evenly import evenly
from hdm.ingest.banded_pairs import candidates
from hdm.ingest.own_detail import OwnDetail
from hdm.ingest.thumbnails import Pictures

_LEVEL_TOLERANCE = 2.0 / 255  # rms over 8x8 blocks; re-encoding moves it by less than 0.7/255
_ASPECT_TOLERANCE = 0.03
_CORRELATION = (0.6, 0.9)  # least and greatest limit, see `_limit`
_FEW, _CORRELATION_OF_FEW = 16, 0.97  # fewer images do not show what they have in common
_OUTLIER = 15.0  # robust deviations from the usual nearest neighbour
ALL_PAIRS = 2**25
"""Pairs that are compared one by one; beyond, those are that a banded hash finds alike."""
_SAMPLED = 512  # images of test whose nearest neighbours then set the limit
_ROWS, _COLUMNS = 1024, 2048  # images compared at once


@dataclass(frozen=True)
class NearDuplicate:
    """Two images that show the same picture; `correlation` of their own detail, up to 1."""

    first: int
    second: int
    correlation: float


def exact_duplicates(hashes: Sequence[str], sides: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of images with one hash but different `sides` (any labels), each image named once."""
    first: dict[str, int] = {}
    pairs = []
    for index, (digest, side) in enumerate(zip(hashes, sides, strict=True)):
        seen = first.setdefault(digest, index)
        if sides[seen] != side:
            pairs.append((seen, index))
    return pairs


def near_duplicates(
    thumbnails: Pictures, aspects: NDArray[np.floating],
    fit: NDArray[np.bool_], test: NDArray[np.bool_],
) -> list[NearDuplicate]:
    """Pairs (image of `fit`, image of `test`) that show the same picture, best match first.

    `thumbnails` (N, SIDE, SIDE), `aspects` (N,) width / height, `fit` and `test` (N,) masks of
    the two sides. Two images of one aspect and level are copies when the correlation of their own
    detail is above a limit in [0.6, 0.9], which is lower the less alike the others are; it is
    0.97 where `fit` has fewer than 16 images. Of more than ALL_PAIRS pairs, one at the limit is
    missed once in 10,000, and others less.
    """
    rows, columns = np.flatnonzero(fit), np.flatnonzero(test)
    if not len(rows) or not len(columns):
        return []
    own = OwnDetail(thumbnails, rows)
    least = _CORRELATION[0] if len(rows) >= _FEW else _CORRELATION_OF_FEW
    if len(rows) * len(columns) <= ALL_PAIRS:
        found, correlation, nearest = _compared(own, rows, columns, least)
        limit = _limit(nearest, len(rows))
    else:
        asked = columns[evenly(len(columns), _SAMPLED)]
        limit = _limit(_compared(own, rows, asked, np.inf)[2], len(rows))
        found = candidates(own.of, rows, columns, limit)
        found = np.stack([rows[found[:, 0]], columns[found[:, 1]]], axis=1)
        correlation = _in_parts(lambda a, b: (own.of(a) * own.of(b)).sum(axis=1), found)
    found, correlation = found[correlation > limit], correlation[correlation > limit]
    apart = _in_parts(lambda a, b: ((own.levels(a) - own.levels(b)) ** 2).mean(axis=1), found)
    stretch = np.abs(np.log(aspects[found[:, 0]] / aspects[found[:, 1]]))
    kept = (np.sqrt(apart) <= _LEVEL_TOLERANCE) & (stretch <= _ASPECT_TOLERANCE)
    pairs = [NearDuplicate(int(a), int(b), float(value)) for (a, b), value
             in zip(found[kept], correlation[kept], strict=True)]
    return sorted(pairs, key=lambda pair: (-round(pair.correlation, 4), pair.first, pair.second))


def _compared(own: OwnDetail, rows: NDArray[np.intp], columns: NDArray[np.intp], least: float,
              ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """All with all: pairs (m, 2) of a correlation above `least`, their correlation, and that of
    each of `columns` with the nearest of `rows`."""
    nearest = np.full(len(columns), -1, dtype=np.float32)
    pairs, values = [np.empty((0, 2), dtype=np.intp)], [np.empty(0, dtype=np.float32)]
    for left in range(0, len(columns), _COLUMNS):
        some = columns[left:left + _COLUMNS]
        across = own.of(some)
        for top in range(0, len(rows), _ROWS):
            correlation = own.of(rows[top:top + _ROWS]) @ across.T
            place = slice(left, left + len(some))
            nearest[place] = np.maximum(nearest[place], correlation.max(axis=0))
            row, column = np.nonzero(correlation > least)
            pairs.append(np.stack([rows[top + row], some[column]], axis=1))
            values.append(correlation[row, column])
    return np.concatenate(pairs), np.concatenate(values), nearest


def _in_parts(compare: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float32]],
              pairs: NDArray[np.intp]) -> NDArray[np.float32]:
    """What `compare` says of the two sides of many pairs, some at a time."""
    parts = [compare(*pairs[start:start + _ROWS].T) for start in range(0, len(pairs), _ROWS)]
    return np.concatenate([np.empty(0, dtype=np.float32), *parts])


def _limit(nearest: NDArray[np.float32], fit_images: int) -> float:
    """The correlation above which a pair stands out from every image's usual nearest neighbour."""
    if fit_images < _FEW:
        return _CORRELATION_OF_FEW
    median = float(np.median(nearest))
    spread = 1.4826 * float(np.median(np.abs(nearest - median)))
    return float(np.clip(median + _OUTLIER * spread, *_CORRELATION))
