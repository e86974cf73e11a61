"""Transparency."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_ROWS = 128


def on_black(pixels: NDArray, full: int | None = None) -> NDArray:
    """Lay (H, W, 2 or 4) pixels, alpha last, on black: (H, W) or (H, W, 3) of the same type.

    uint8 or uint16, opaque where alpha is `full`, that of the type if it is not given; colours
    are rounded to the nearest value. Where alpha is 0 everywhere, its
    writer did not use it (frame grabbers leave the fourth byte empty), and the colours count.
    """
    if not pixels[..., -1].any():
        flat = pixels[..., :-1]
    else:
        full = full or int(np.iinfo(pixels.dtype).max)
        flat = by_rows(lambda rows: _laid(rows, full), pixels)
    return flat[..., 0] if flat.shape[2] == 1 else flat


def by_rows(work: Callable[[NDArray], NDArray], pixels: NDArray) -> NDArray:
    """`work` on (H, W, ...), a few rows after the other: its wider numbers take little memory."""
    return np.concatenate([work(pixels[top:top + _ROWS]) for top in range(0, len(pixels), _ROWS)])


def _laid(pixels: NDArray, full: int) -> NDArray:
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    return ((colour * alpha + full // 2) // full).astype(pixels.dtype)
