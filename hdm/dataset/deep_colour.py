"""16-bit colour, which Pillow reduces to 8 bit when left alone."""

import io
import sys

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.alpha import on_black
from hdm.dataset.orientation import orientation_of, upright

_BITS, _PLANAR = 258, 284  # TIFF tags


def is_deep_colour(image: Image.Image) -> bool:
    """Whether an opened, not yet loaded PNG or TIFF has several channels of 16 bits."""
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS, (1,))  # type: ignore[attr-defined]
        return len(bits) > 1 and 16 in bits
    return image.format == "PNG" and _raw_mode(image).endswith(";16B") \
        and image.mode in ("RGB", "RGBA")


def read_deep_colour(image: Image.Image, data: bytes) -> NDArray[np.uint16]:
    """(H, W) or (H, W, 3) uint16; alpha is laid on black.

    `data` are the bytes of the file that `image` was opened from. A TIFF is returned upright,
    as Pillow turns it while loading; a PNG as it is stored.
    Raises ValueError or OSError for what neither Pillow nor tifffile decodes.
    """
    raw = _raw_mode(image)
    if image.format == "TIFF" and (image.tag_v2.get(_PLANAR) == 2  # type: ignore[attr-defined]
                                   or not raw.startswith(("RGB;16", "RGBA;16", "RGBX;16"))):
        pixels = tifffile.imread(io.BytesIO(data), key=0)
        if image.tag_v2.get(_PLANAR) == 2:  # type: ignore[attr-defined]
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = upright(pixels, orientation_of(image))
    elif raw == "LA;16B":
        # Two 16-bit channels have the byte layout of four 8-bit ones.
        parts = _load_as(data, raw, "RGBA").astype(np.uint16)
        pixels = parts[..., 0::2] * np.uint16(256) + parts[..., 1::2]
    else:
        # One pass keeps the first byte of each sample, the other the second one.
        native = "L" if sys.byteorder == "little" else "B"
        order = raw[-1].replace("N", native)
        other = raw[:-1] + ("B" if order == "L" else "L")
        high, low = _load_as(data, raw, raw), _load_as(data, raw, other)
        pixels = high.astype(np.uint16) * np.uint16(256) + low
        if raw.startswith("RGBX"):
            pixels = pixels[..., :3]
    if pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] not in (2, 3, 4):
        raise ValueError(f"{pixels.dtype} samples of shape {pixels.shape}")
    return on_black(pixels) if pixels.shape[2] in (2, 4) else pixels


def _raw_mode(image: Image.Image) -> str:
    tiles = getattr(image, "tile", None) or []
    args = tiles[0].args if tiles else ""
    return str(args[0] if isinstance(args, tuple) else args)


def _load_as(data: bytes, raw: str, wanted: str) -> NDArray[np.uint8]:
    """Decode with another raw mode, which picks other bytes of each sample."""
    with Image.open(io.BytesIO(data), formats=("PNG", "TIFF")) as image:
        image.tile = [  # type: ignore[attr-defined]
            tile._replace(args=(wanted, *tile.args[1:]) if isinstance(tile.args, tuple)
                          else wanted)
            for tile in image.tile]  # type: ignore[attr-defined]
        image.load()
        return np.asarray(image)
