"""Outlines with corners as fractions of a picture's sides: their faults, and their pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Corner = tuple[float, float]
LEAST_AREA = 1e-5
"""Of the picture: a pixel of 300 x 300."""


def cleaned(corners: Sequence[Corner]) -> tuple[Corner, ...]:
    """Without a corner that repeats the one before it, or at the end the first."""
    kept = [corner for corner, before in zip(corners, [None, *corners], strict=False)
            if corner != before]
    return tuple(kept[:-1] if len(kept) > 1 and kept[0] == kept[-1] else kept)


def fault(corners: Sequence[Corner]) -> str:
    """What is wrong with an outline of `cleaned` corners, in words; "" if nothing is."""
    if len(corners) < 3:
        return f"has {len(corners)} different corners, expected three or more"
    crossing = _crossing(np.array(corners, dtype=float))
    if crossing:
        first, second = (f"the side after corner {number + 1}" for number in crossing)
        return f"crosses itself: {first} meets {second}"
    x, y = np.array(corners, dtype=float).T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return "encloses nothing: its corners lie on a line" if area < LEAST_AREA else ""


def inside(outlines: Sequence[Sequence[Corner]], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels (H, W) within any of the outlines."""
    picture = Image.new("1", (width, height))
    for corners in outlines:
        # A pixel's centre lies half a pixel from its edge.
        ImageDraw.Draw(picture).polygon(
            [(x * width - 0.5, y * height - 0.5) for x, y in corners], fill=1, outline=1)
    return np.array(picture)


def widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) with the pixels beside it, so that every pixel that an outline touches is in it."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    rows = grown.copy()
    grown[:, 1:] |= rows[:, :-1]
    grown[:, :-1] |= rows[:, 1:]
    return grown


def _crossing(points: NDArray[np.float64]) -> tuple[int, int] | None:
    """Numbers of two sides that meet and are no neighbours."""
    count, ends = len(points), np.roll(points, -1, axis=0)
    one, two = np.triu_indices(count, 2)
    apart = ~((one == 0) & (two == count - 1))
    one, two = one[apart], two[apart]
    meets = _between(points[one], ends[one], points[two], ends[two])
    found = np.flatnonzero(meets)
    return (int(one[found[0]]), int(two[found[0]])) if len(found) else None


def _between(a: NDArray, b: NDArray, c: NDArray, d: NDArray) -> NDArray[np.bool_]:
    """Whether the sides ab and cd meet, (P, 2) each: both lie on either side of the other, or touch
    it, and their boxes overlap."""
    overlap = ((np.minimum(a, b) <= np.maximum(c, d)) & (np.minimum(c, d) <= np.maximum(a, b))
               ).all(1)
    return overlap & (_side(a, b, c) * _side(a, b, d) <= 0) & (_side(c, d, a) * _side(c, d, b) <= 0)


def _side(a: NDArray, b: NDArray, p: NDArray) -> NDArray:
    """On which side of ab p lies: -1, 0 or 1."""
    turn = (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
    return np.sign(np.where(np.abs(turn) < 1e-12, 0, turn))
