"""What is not inspected, in every picture: grey, with oblique lines."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY, LINE = (150, 156, 164), (96, 102, 110)
STEP = 8
"""Pixels from one line to the next; a quarter of them is the line."""
VEIL = 0.55
"""Opacity of the grey: what lies below can still be made out."""


def hatched(picture: Image.Image, ignored: NDArray[np.bool_] | None) -> Image.Image:
    """An RGB picture with what is `ignored` hatched; (H, W) of any size with the same sides'
    ratio. None: the picture as it is."""
    if ignored is None or not ignored.any():
        return picture
    fitted = np.asarray(Image.fromarray(ignored).resize(picture.size, Image.Resampling.NEAREST))
    rows, columns = (np.arange(side) for side in fitted.shape)
    lines = (rows[:, None] + columns) % STEP < STEP // 4
    veil = np.where(lines[..., None], np.array(LINE), np.array(GREY))
    pixels = np.asarray(picture.convert("RGB")).astype(np.float32)
    mixed = np.where(fitted[..., None], pixels + VEIL * (veil - pixels), pixels)
    return Image.fromarray(mixed.round().astype(np.uint8))
