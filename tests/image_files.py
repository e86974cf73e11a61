"""Small image files for the tests of this room."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image


def pixels(seed, height=24, width=32, channels=1, dtype=np.uint8):
    """Random pixels, different for each seed."""
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype,
                                                endpoint=True)


def write(path: Path, image, **options):
    """Save an array under `path`, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return path


def fill(folder: Path, number, start, suffix=".png", **shape):
    """`number` different images 000, 001... in `folder`."""
    return [write(folder / f"{i:03d}{suffix}", pixels(start + i, **shape))
            for i in range(number)]


def mask(path: Path, height=24, width=32):
    """A mask with a marked square."""
    marked = np.zeros((height, width), np.uint8)
    marked[4:9, 5:11] = 255
    return write(path, marked)


def mvtec(root: Path, train=12, test=4, defects=3):
    """A tiny MVTec AD folder with one defect type."""
    fill(root / "train/good", train, 0)
    fill(root / "test/good", test, 1000)
    fill(root / "test/scratch", defects, 2000)
    for i in range(defects):
        mask(root / f"ground_truth/scratch/{i:03d}_mask.png")
    return root


def png(width, height, depth=8, colour=0, data=b""):
    """Bytes of a PNG with any header; `data` are its filtered rows."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) \
        + _chunk(b"IDAT", zlib.compress(data)) + _chunk(b"IEND", b"")


def deep_png(image):
    """Bytes of a PNG of 16-bit samples with 1, 2, 3 or 4 channels."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in image)
    return png(image.shape[1], image.shape[0], 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], rows)


def bmp_header(width, height):
    """A BMP that is nothing but a header."""
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) \
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def encoded(image, container, **options):
    """Bytes of an array or a Pillow image, as Pillow writes them."""
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        buffer, container, **options)
    return buffer.getvalue()


def tiff(image, **options):
    """Bytes of a TIFF with any layout."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, **options)
    return buffer.getvalue()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
