"""How the camera was held, as EXIF or XMP say it."""

import re

from numpy.typing import NDArray
from PIL import Image

_TAG = 0x0112
_XMP = re.compile(rb'tiff:Orientation(?:="|>)\s*([1-8])\b')


def orientation_of(exif: bytes, xmp: bytes = b"") -> int:
    """The orientation 1..8 that metadata state, EXIF before XMP.

    1 (upright) where they say nothing, or nothing that makes sense: pixels are whole whatever
    is written beside them.
    """
    tags = Image.Exif()
    try:
        tags.load(exif)
        found = tags.get(_TAG)
    except Exception:  # a reader of garbage may raise anything
        found = None
    if found is None and (match := _XMP.search(xmp)):
        found = int(match[1])
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def upright(pixels: NDArray, orientation: int) -> NDArray:
    """(H, W, ...) as stored, turned and mirrored to how it was seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
