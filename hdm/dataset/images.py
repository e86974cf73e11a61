"""Image files as numpy arrays, at their own size, channel count and bit depth.

Every way a file can be bad ends in one DataError sentence that names it.
"""

import hashlib
import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.bare_files import JPEG_START
from hdm.dataset.image_decoder import FORMATS, bare_file, decode_pixels
from hdm.dataset.not_read import MAX_PIXELS, NotRead
from hdm.dataset.tiff_pages import is_tiff, pages, split_page
from hdm.dataset.tiff_pixels import claimed_size, read_tiff
from hdm.errors import DataError

__all__ = ["FORMATS", "KINDS", "MAX_PIXELS", "SUFFIXES", "UnreadableImage", "claimed_pixels",
           "decode_image", "pages", "pixel_hash", "read_image", "read_mask", "split_page",
           "to_float"]

SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".mpo", ".tif", ".tiff", ".bmp", ".dib",
    ".webp", ".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc", ".pgm", ".ppm", ".pbm", ".pnm", ".gif",
    ".avif"})
"""Lower-case suffixes of the files that are looked at; FORMATS by another name."""
KINDS = "a PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, AVIF, PNM or GIF image"
"""FORMATS in a sentence."""

# Between half and the whole limit Pillow only warns; such images are read here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Of a damaged file the error is told, not what its decoder saw before; of odd metadata nothing.
warnings.filterwarnings("ignore", module=r"PIL\.")

_LOSSY_MASK_LEVEL = 128
_NOT_SUPPORTED = re.compile("unsupported|not supported|not implemented|unknown", re.IGNORECASE)


class UnreadableImage(DataError):
    """One image file cannot be used; `reason` is the short cause, without the file's name."""

    def __init__(self, name: str, reason: str) -> None:
        printable = name.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(f"{printable}: expected {KINDS}, found {reason}; replace or remove the "
                         "file.")
        self.name, self.reason = name, reason

    def __reduce__(self) -> tuple[Any, ...]:
        """It comes back from other processes, too."""
        return type(self), (self.name, self.reason)


def read_image(path: Path | str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Pixels of an image file: (H, W) grey or (H, W, 3) RGB, uint8 or uint16.

    `stack.tif#3` is page 3 of a TIFF stack, counted from 1, where no file has the whole name; a
    stack without a number is its first page. Of a TIFF with previews the picture itself is read.

    The orientation that EXIF states is applied. 1-bit images become 0/255 grey, palettes, CMYK
    and YCbCr RGB. Transparent images are laid on black, so that hidden pixels cannot differ
    unseen, but for an alpha of 0 everywhere, which is none. Samples of 9 to 15 bits stay the
    values they were, in uint16; fewer than 8 bits are spread over 0..255. AVIF is read at 8 bits.
    Pixels are those stored: colour profiles are not applied.

    Raises DataError for anything that cannot be decoded in full, for animations, and for floating
    point, signed and 32-bit integers, whose black and white no file tells.
    """
    name = str(path)
    file, page = _file_and_page(path)
    if file.exists() and not file.is_file() and not file.is_dir():
        raise UnreadableImage(name, "a pipe or device")  # to open it would wait for ever
    try:
        stream = file.open("rb")
    except FileNotFoundError:
        raise UnreadableImage(name, "no such file") from None
    except OSError as error:
        raise UnreadableImage(name, f"a file that cannot be opened ({error.strerror})") from None
    with stream, _one_sentence(name):
        start = stream.read(4)
        if is_tiff(start):
            return read_tiff(stream, page, file)
        return _decode(start + stream.read(), page)


def decode_image(data: bytes, name: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The same as `read_image` for the bytes of a file; `name` is used in errors."""
    with _one_sentence(name):
        return read_tiff(io.BytesIO(data)) if is_tiff(data) else _decode(data)


def claimed_pixels(data: bytes) -> int:
    """How many pixels `decode_image` would have to decode, as the header states it.

    0 where the header is not understood: decoding says what is wrong. Nothing is decoded.
    """
    try:
        if is_tiff(data):
            width, height = claimed_size(io.BytesIO(data))
        else:
            with Image.open(io.BytesIO(bare_file(data).data), formats=FORMATS) as image:
                width, height = image.size
    except Image.DecompressionBombError:
        return MAX_PIXELS + 1
    except Exception:
        return 0
    return width * height


def read_mask(path: Path | str) -> NDArray[np.bool_]:
    """Ground truth of an image as (H, W) bool: True where any channel is above 0.

    JPEG smears 0 into small values, so there the limit is half of the range.
    Raises DataError as `read_image` does.
    """
    pixels = read_image(path)
    with _file_and_page(path)[0].open("rb") as stream:
        level = _LOSSY_MASK_LEVEL if stream.read(2) == JPEG_START else 1
    strongest = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    return np.asarray(strongest >= level)


def to_float(image: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """`image` as float32 in [0, 1]; full scale is 255 or 65535 by its type."""
    if image.dtype not in (np.uint8, np.uint16):
        raise DataError(f"expected pixels of type uint8 or uint16, received {image.dtype}; "
                        "convert them first.")
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)


def pixel_hash(image: NDArray[np.uint8] | NDArray[np.uint16]) -> str:
    """SHA-256 of the decoded pixels with their shape and depth; the file format is ignored."""
    little = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{image.shape}{image.dtype.itemsize}".encode())
    digest.update(little.data)
    return digest.hexdigest()


def _file_and_page(path: Path | str) -> tuple[Path, int | None]:
    name, page = split_page(path)
    if page is None or os.path.lexists(path):
        return Path(path), None
    return Path(name), page


def _decode(data: bytes, page: int | None = None) -> NDArray:
    if not data:
        raise NotRead("an empty file")
    if page not in (None, 1):
        raise NotRead(f"a file of one page, without a page {page}")
    return decode_pixels(data)


@contextmanager
def _one_sentence(name: str) -> Iterator[None]:
    """Whatever goes wrong within becomes UnreadableImage."""
    try:
        yield
    except NotRead as error:
        raise UnreadableImage(name, str(error)) from None
    except Image.DecompressionBombError:
        raise UnreadableImage(name, f"a header that claims more than {MAX_PIXELS // 10**6} "
                                    "megapixels") from None
    except MemoryError:
        raise UnreadableImage(name, "an image that needs more memory than there is, or than its "
                                    "size justifies") from None
    # A decoder fed with damaged bytes may raise anything: struct.error, SyntaxError, IndexError...
    except Exception as error:
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        known = not isinstance(error, TypeError) and _NOT_SUPPORTED.search(detail)
        kind = "an image of a kind that is not read" if known else "a truncated or damaged image"
        raise UnreadableImage(name, f"{kind} ({detail})") from None
