"""Transparency."""

import numpy as np
from numpy.typing import NDArray


def on_black(pixels: NDArray) -> NDArray:
    """Lay (H, W, 2 or 4) pixels, alpha last, on black: (H, W) or (H, W, 3) of the same type.

    uint8 or uint16; colours are rounded to the nearest value.
    """
    full = np.iinfo(pixels.dtype).max
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    flat = ((colour * alpha + full // 2) // full).astype(pixels.dtype)
    return flat[..., 0] if flat.shape[2] == 1 else flat
