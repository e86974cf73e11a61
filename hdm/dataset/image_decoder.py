"""From the bytes of an image file to its pixels; TIFF apart, which has files of its own."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from hdm.dataset.allowance import claim
from hdm.dataset.bare_files import JPEG_START, PNG_START, Bare, animation, bare_jpeg, bare_png
from hdm.dataset.deep_colour import is_deep_png, read_deep_png, read_jpeg2000
from hdm.dataset.not_read import NotRead
from hdm.dataset.orientation import orientation_of, upright
from hdm.dataset.pillow_modes import native
from hdm.dataset.pnm import is_deep_pnm, read_deep_pnm

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM", "WEBP", "JPEG2000", "AVIF", "DIB")
"""What is read, by Pillow's names; the content decides, not the suffix."""
_SEQUENCES = _COLOURED = ("GIF", "WEBP", "AVIF")
"""May be animations; and know, or are decoded to, no grey, so that grey pictures come as colour."""
_STARTS = (PNG_START, JPEG_START, b"BM", b"GIF8", b"II*\0", b"MM\0*", b"\xff\x4f\xff\x51",
           b"\0\0\0\x0cjP  ")


def decode_pixels(data: bytes) -> NDArray:
    """(H, W) or (H, W, 3), uint8 or uint16, upright.

    Raises NotRead for whole files that are not read, and whatever a decoder raises on damage.
    """
    if is_deep_pnm(data):
        return read_deep_pnm(data)
    bare = bare_file(data)
    try:
        with Image.open(io.BytesIO(bare.data), formats=FORMATS) as image:
            if image.format in _SEQUENCES and (frames := getattr(image, "n_frames", 1)) > 1:
                raise animation(frames)
            claim(*image.size)
            if image.format == "JPEG2000":
                pixels = read_jpeg2000(image, data)
            elif is_deep_png(image):
                pixels = read_deep_png(image, bare.data)
            else:
                image.load()
                pixels = native(image)
            if image.format in _COLOURED:
                pixels = _grey_if_all_is(pixels)
            exif, xmp = (value if isinstance(value, bytes) else b""
                         for value in (image.info.get("exif"), image.info.get("xmp")))
    except UnidentifiedImageError:
        raise NotRead(_what_it_is(data)) from None
    turned = upright(pixels, orientation_of(bare.exif or exif, bare.xmp or xmp))
    return np.ascontiguousarray(turned)


def _grey_if_all_is(pixels: NDArray) -> NDArray:
    """Green, where no pixel's channels differ by more than one level, which lossy grey adds."""
    if pixels.ndim == 3 and np.ptp(pixels, axis=2).max() <= 1:
        return pixels[..., 1]
    return pixels


def bare_file(data: bytes) -> Bare:
    """A PNG or JPEG without what could hide its pixels; other files as they are."""
    if data.startswith(PNG_START):
        return bare_png(data)
    return bare_jpeg(data) if data.startswith(JPEG_START) else Bare(data)


def _what_it_is(data: bytes) -> str:
    """A guess at the content of a file that no decoder knows."""
    head = data[:512]
    if head.startswith(_STARTS) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP") \
            or head[4:12] == b"ftypavif":
        return "a truncated or damaged image"
    try:
        head[:-3].decode("utf-8") if len(data) > len(head) else head.decode("utf-8")
    except UnicodeDecodeError:
        return "another kind of file"
    return "a text file"
