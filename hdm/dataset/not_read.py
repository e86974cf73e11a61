"""Whole files that are not read all the same: of another kind, or too large."""

from PIL import Image

MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""Largest image that is decoded: about 179 megapixels, Pillow's own limit."""


class NotRead(Exception):
    """Nothing is wrong with the file, but it is not read; the text says what it is."""


def check_size(width: int, height: int) -> None:
    """Raise NotRead for more than MAX_PIXELS, ValueError for an image without pixels."""
    if width * height > MAX_PIXELS:
        raise NotRead(f"a header that claims more than {MAX_PIXELS // 10**6} megapixels")
    if width < 1 or height < 1:
        raise ValueError(f"a size of {width}x{height} px")
