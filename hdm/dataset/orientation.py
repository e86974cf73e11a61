"""EXIF orientation: how the camera was held."""

from numpy.typing import NDArray
from PIL import Image

_TAG = 0x0112


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation 1..8 of an opened image; 1 (upright) where it says nothing."""
    return int(image.getexif().get(_TAG, 1))


def upright(pixels: NDArray, orientation: int) -> NDArray:
    """(H, W, ...) as stored, turned and mirrored to how it was seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
