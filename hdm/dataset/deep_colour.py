"""PNG and JPEG 2000 of more than 8 bits a channel, which Pillow reduces when left alone."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.alpha import on_black
from hdm.dataset.not_read import NotRead
from hdm.dataset.pillow_modes import native

_CODESTREAM, _CODESTREAM_END = b"\xff\x4f\xff\x51", b"\xff\xd9"
_CHANNELS_AT = 40  # bytes into a JPEG 2000 code stream; the channels' depths follow

# Of a damaged file the error is told, not what its decoder saw.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def is_deep_png(image: Image.Image) -> bool:
    """Whether an opened, not yet loaded PNG has several channels of 16 bits."""
    return image.format == "PNG" and image.mode in ("RGB", "RGBA") \
        and _raw_mode(image).endswith(";16B")


def read_deep_png(image: Image.Image, data: bytes) -> NDArray[np.uint16]:
    """(H, W) or (H, W, 3) uint16; alpha is laid on black.

    `data` are the bytes of the file that `image` was opened from.
    Raises ValueError or OSError for what either decoder refuses.
    """
    grey = _raw_mode(image).startswith("LA")
    image.load()  # each of the two refuses damage that the other would overlook
    pixels = _decoded(data, (3, 4))
    if image.mode == "RGB":
        return pixels[..., :3]
    colour = on_black(pixels)
    return colour[..., 0] if grey else colour


def read_jpeg2000(image: Image.Image, data: bytes) -> NDArray:
    """(H, W) or (H, W, 3), uint8 or uint16; 9 to 15 bits of grey stay the values they were.

    Raises ValueError for a file that ends early, which its decoder would complete by guessing,
    and NotRead for signed samples and for colour of 9 to 15 bits.
    """
    start = data.index(_CODESTREAM)
    if data.rfind(_CODESTREAM_END) < start:
        raise ValueError("the file ends early")
    channels = int.from_bytes(data[start + _CHANNELS_AT:][:2])
    depths = set(data[start + _CHANNELS_AT + 2:][:3 * channels:3])
    if max(depths) & 0x80:
        raise NotRead("a JPEG 2000 of signed integers")
    bits = max(depths) + 1
    if bits > 16 or (bits > 8 and channels > 1 and (depths != {15} or channels != 3)):
        raise NotRead(f"a JPEG 2000 with {channels} channels of {bits} bits")
    image.load()
    if bits > 8 and channels > 1:
        return _decoded(data, (3,))
    pixels = native(image)
    return pixels >> (16 - bits) if bits > 8 else pixels  # Pillow shifts them to full scale


def _decoded(data: bytes, channels: tuple[int, ...]) -> NDArray:
    """Channels in the order RGB or RGBA; grey with alpha has its grey three times."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 \
            or pixels.shape[2] not in channels:
        raise ValueError("16-bit colour that cannot be decoded")
    return pixels[..., [2, 1, 0, 3][:pixels.shape[2]]]


def _raw_mode(image: Image.Image) -> str:
    tiles = getattr(image, "tile", None) or []
    args = tiles[0].args if tiles else ""
    return str(args[0] if isinstance(args, tuple) else args)
