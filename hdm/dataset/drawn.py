"""Is a picture drawn, as masks are, or taken by a camera?"""

import numpy as np
from numpy.typing import NDArray

FEW = 8
"""Different values, at most, of a picture that a program drew without loss."""
_STEP = 7  # every so many pixels are looked at first: a photograph is told at once
_EDGES = 0.15  # share of neighbouring pixels that differ, at most: areas have few edges, noise many
_NEAR = 0.12  # distance from either end of the range that a lossy format leaves, as a share of it
_RANGE = 24  # of 255: below this nothing is drawn that a lossy format would leave
_BOTH_ENDS = 0.97


def looks_drawn(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bool | None:
    """Whether (H, W) or (H, W, 3) pixels consist of a few flat areas; None if they have one value.

    Either no more than FEW values occur, or, after JPEG, nearly all pixels are near the darkest or
    the brightest one.
    """
    flat = image.reshape(image.shape[0], image.shape[1], -1)
    spread = flat.max((0, 1)).astype(int) - flat.min((0, 1)).astype(int)
    if not spread.any():
        return None
    values = flat[..., int(spread.argmax())]
    return _few(values) or _two_ends(values)


def _few(values: NDArray) -> bool:
    if len(np.unique(values[::_STEP, ::_STEP])) > FEW or len(np.unique(values)) > FEW:
        return False
    return _edges(values) <= _EDGES


def _two_ends(values: NDArray) -> bool:
    low, high = int(values.min()), int(values.max())
    near = _NEAR * (high - low)
    if high - low < _RANGE * np.iinfo(values.dtype).max / 255 or _share(
            values[::_STEP, ::_STEP], low, high, near) < _BOTH_ENDS - 0.05:
        return False
    return _share(values, low, high, near) >= _BOTH_ENDS and \
        _edges(values > (low + high) / 2) <= _EDGES


def _share(values: NDArray, low: int, high: int, near: float) -> float:
    return float(np.mean((values <= low + near) | (values >= high - near)))


def _edges(values: NDArray) -> float:
    across, down = values[:, 1:] != values[:, :-1], values[1:] != values[:-1]
    return float((across.sum() + down.sum()) / max(1, across.size + down.size))
