"""Image files as numpy arrays, at their own size, channel count and bit depth.

Every way a file can be bad ends in one DataError sentence that names it.
"""

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from hdm.dataset.alpha import on_black
from hdm.dataset.deep_colour import is_deep_colour, read_deep_colour
from hdm.dataset.orientation import orientation_of, upright
from hdm.errors import DataError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"})
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""Largest image that is decoded: about 179 megapixels, Pillow's own limit."""

# Between half and the whole limit Pillow only warns; such images are read here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Of a damaged file the error is told, not what its tags looked like before.
warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")

_LOSSY_MASK_LEVEL = 128


class UnreadableImage(DataError):
    """One image file cannot be used; `reason` is the short cause, without the file's name."""

    def __init__(self, name: str, reason: str) -> None:
        printable = name.encode("utf-8", "backslashreplace").decode("utf-8")
        super().__init__(f"{printable}: expected a PNG, JPEG, TIFF or BMP image, found {reason}; "
                         "replace or remove the file.")
        self.reason = reason


def read_image(path: Path | str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Pixels of an image file: (H, W) grey or (H, W, 3) RGB, uint8 or uint16.

    The EXIF orientation is applied. 1-bit images become 0/255 grey, palettes RGB. Transparent
    images are laid on black, so that hidden pixels cannot differ unseen. Of several pages the
    first is read. Raises DataError for anything that cannot be decoded in full.
    """
    return decode_image(_read_bytes(Path(path)), str(path))


def decode_image(data: bytes, name: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The same as `read_image` for the bytes of a file; `name` is used in errors."""
    return _decode(data, name)[0]


def read_mask(path: Path | str) -> NDArray[np.bool_]:
    """Ground truth of an image as (H, W) bool: True where any channel is above 0.

    JPEG smears 0 into small values, so there the limit is half of the range.
    Raises DataError as `read_image` does.
    """
    pixels, container = _decode(_read_bytes(Path(path)), str(path))
    level = _LOSSY_MASK_LEVEL if container in ("JPEG", "MPO") else 1
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


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UnreadableImage(str(path), "no such file") from None
    except OSError as error:
        raise UnreadableImage(str(path), f"a file that cannot be opened "
                                         f"({error.strerror})") from None
    return data


def _decode(data: bytes, name: str) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], str]:
    """Pixels and container format of one file."""
    if not data:
        raise UnreadableImage(name, "an empty file")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            container = image.format or ""
            pixels: NDArray[Any]
            if is_deep_colour(image):
                pixels = read_deep_colour(image, data)
            else:
                image.load()
                pixels = _native(image, name)
            if container != "TIFF":  # those were turned while loading
                pixels = upright(pixels, orientation_of(image))
            return np.ascontiguousarray(pixels), container
    except DataError:
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(name, _what_it_is(data)) from None
    except Image.DecompressionBombError:
        raise UnreadableImage(name, f"a header that claims more than {MAX_PIXELS // 10**6} "
                                    "megapixels") from None
    # A decoder fed with damaged bytes may raise anything: struct.error, SyntaxError, IndexError...
    except Exception as error:
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise UnreadableImage(name, f"a truncated or damaged image ({detail})") from None


def _native(image: Image.Image, name: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A loaded Pillow image of any supported mode as (H, W) or (H, W, 3)."""
    mode = image.mode
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if mode in ("RGB", "YCbCr", "RGBX"):
        return np.asarray(image.convert("RGB"))
    if mode == "P":
        clear = "transparency" in image.info
        return _native(image.convert("RGBA" if clear else "RGB"), name)
    if mode in ("La", "RGBa"):  # already multiplied by alpha, which is what black leaves
        return np.asarray(image)[..., 0] if mode == "La" else np.asarray(image)[..., :3]
    if mode in ("LA", "RGBA"):
        return on_black(np.asarray(image))
    raise UnreadableImage(name, f"the unsupported pixel format {mode!r} (8 or 16 bit grey or RGB "
                                "are read)")


def _what_it_is(data: bytes) -> str:
    """A guess at the content of a file that no decoder knows."""
    head = data[:512]
    if head.startswith((b"\x89PNG", b"\xff\xd8", b"BM", b"II*\0", b"MM\0*")):
        return "a truncated or damaged image"
    try:
        head[:-3].decode("utf-8") if len(data) > len(head) else head.decode("utf-8")
    except UnicodeDecodeError:
        return "another kind of file"
    return "a text file"
