"""16-bit colour, which Pillow reduces to 8 bit when left alone."""

import io

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.alpha import on_black
from hdm.dataset.orientation import orientation_of, upright

_BITS, _PLANAR, _EXTRA = 258, 284, 338  # TIFF tags
_MULTIPLIED = (1,)  # the extra channel is an alpha that the colours are multiplied by already

# Of a damaged file the error is told, not what its decoder saw.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def is_deep_colour(image: Image.Image) -> bool:
    """Whether an opened, not yet loaded PNG or TIFF has several channels of 16 bits."""
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS, (1,))  # type: ignore[attr-defined]
        return len(bits) > 1 and 16 in bits
    return image.format == "PNG" and image.mode in ("RGB", "RGBA") \
        and _raw_mode(image).endswith(";16B")


def read_deep_colour(image: Image.Image, data: bytes) -> NDArray[np.uint16]:
    """(H, W) or (H, W, 3) uint16; alpha is laid on black.

    `data` are the bytes of the file that `image` was opened from. A TIFF is returned upright,
    as Pillow turns it while loading; a PNG as it is stored.
    Raises ValueError or OSError for what neither OpenCV nor tifffile decodes.
    """
    tags = getattr(image, "tag_v2", {})
    grey = _raw_mode(image).startswith("LA")
    if image.mode not in ("RGB", "RGBA"):
        raise ValueError(f"16-bit {image.mode}")
    if tags.get(_PLANAR) == 2:  # OpenCV takes planes for interleaved channels
        planes = tifffile.imread(io.BytesIO(data), key=0)
        pixels = upright(np.moveaxis(planes, 0, -1), orientation_of(image))
    else:
        image.load()  # each of the two refuses damage that the other would overlook
        pixels = _decode(data)
    if pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        raise ValueError(f"{pixels.dtype} samples of shape {pixels.shape}")
    if image.mode == "RGB" or tags.get(_EXTRA) == _MULTIPLIED:
        return pixels[..., :3]
    colour = on_black(pixels)
    return colour[..., 0] if grey else colour


def _decode(data: bytes) -> NDArray:
    """Channels in the order RGB or RGBA; grey with alpha has its grey three times."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("16-bit colour that cannot be decoded")
    return pixels[..., [2, 1, 0, 3][:pixels.shape[-1]]]


def _raw_mode(image: Image.Image) -> str:
    tiles = getattr(image, "tile", None) or []
    args = tiles[0].args if tiles else ""
    return str(args[0] if isinstance(args, tuple) else args)
