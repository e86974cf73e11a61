"""Is a picture drawn, as masks are, or taken by a camera?"""

import numpy as np
from numpy.typing import NDArray

FEW = 8
"""Different values, at most, of a picture that a program drew without loss and without numbers."""
_NUMBERED = 256  # of one with an area a number
_STEP = 7  # every so many pixels are looked at first: a photograph is told at once
_EDGES = 0.15  # share of neighbouring pixels that differ, at most: areas have few edges, noise many
_INSIDE = 0.6  # share of pixels of numbered areas that are like their neighbour, at least
_FAINT = 24  # of 255: of a lower range a lossy format leaves nothing but noise
_FLAT = 4  # of 255: within so much of its median the larger of two areas is flat
_NEAR = 0.12  # of the distance between two areas that a lossy format adds to their edges
_SHARES = 0.85, 0.97  # of the larger area that is flat, of all pixels that are near either


def looks_drawn(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bool | None:
    """Whether (H, W) or (H, W, 3) pixels consist of a few flat areas; None if they have one value,
    or one up to what a lossy format adds.

    Either few values occur, or areas of many are flat inside, or, as after JPEG, there are two
    values, with noise at their edges alone.
    """
    flat = image.reshape(image.shape[0], image.shape[1], -1)
    spread = flat.max((0, 1)).astype(int) - flat.min((0, 1)).astype(int)
    if not spread.any():
        return None
    values = flat[..., int(spread.argmax())]
    return _without_loss(values) or _two_tones(values)


def _without_loss(values: NDArray) -> bool:
    """Few values, or areas that are flat."""
    if len(np.unique(values[::_STEP, ::_STEP])) > _NUMBERED // 4:
        return False
    counts = np.bincount(values.reshape(-1))  # sorting costs many times as much
    found = np.flatnonzero(counts)
    if len(found) <= FEW:
        return _edges(values) <= _EDGES
    areas = values != counts.argmax()
    alike = values[:, 1:] == values[:, :-1]
    return len(found) <= _NUMBERED and areas[:, 1:].sum() > 0 and \
        bool(alike[areas[:, 1:]].mean() >= _INSIDE) and _edges(values) <= _EDGES


def _two_tones(values: NDArray) -> bool | None:
    unit = np.iinfo(values.dtype).max / 255
    middle = (int(values.min()) + int(values.max())) / 2
    low, high = (float(np.median(values[side])) for side in (values <= middle, values > middle))
    larger = low if (values <= middle).mean() >= 0.5 else high
    own = values[(values <= middle) == (larger == low)]
    if np.mean(np.abs(own - larger) <= _FLAT * unit) < _SHARES[0]:
        return False
    if high - low < _FAINT * unit:
        return None
    distance = np.minimum(np.abs(values - low), np.abs(values - high))
    return bool(np.mean(distance <= _NEAR * (high - low)) >= _SHARES[1]
                and _edges(values > middle) <= _EDGES)


def _edges(values: NDArray) -> float:
    across, down = values[:, 1:] != values[:, :-1], values[1:] != values[:-1]
    return float((across.sum() + down.sum()) / max(1, across.size + down.size))
