"""Images as PNG without loss, 16-bit colour included, which Pillow does not write."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR = 2
_UP = 2  # filter: difference to the row above


def png_bytes(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """(H, W) or (H, W, 3), uint8 or uint16, as a PNG file that decodes to the same pixels."""
    if image.dtype == np.uint16 and image.ndim == 3:
        return _deep_colour(image.astype(">u2", order="C"))
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, format="PNG")
    return stream.getvalue()


def _deep_colour(image: NDArray[Any]) -> bytes:
    height, width = image.shape[:2]
    rows = image.view(np.uint8).reshape(height, -1)
    # Bytes are subtracted modulo 256, as the format wants it.
    filtered = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    marked = np.concatenate([np.full((height, 1), _UP, np.uint8), filtered], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR, 0, 0, 0)
    return (_SIGNATURE + _chunk(b"IHDR", header)
            + _chunk(b"IDAT", zlib.compress(marked.tobytes(), 6)) + _chunk(b"IEND", b""))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(
        ">I", zlib.crc32(name + content))
