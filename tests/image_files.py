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
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) \
        + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


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


def chunk(kind, data):
    """A chunk of a PNG, its checksum right."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(data, extra):
    """A PNG with `extra` right after its header."""
    return data[:33] + extra + data[33:]


def segment(marker, data):
    """A segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def with_segment(data, extra):
    """A JPEG with `extra` right after its start."""
    return data[:2] + extra + data[2:]


def exif(kind, count, value):
    """EXIF of nothing but an orientation, of any type and value (4 bytes)."""
    return b"Exif\0\0II*\0\x08\0\0\0" \
        + struct.pack("<HHHI4sI", 1, 0x0112, kind, count, value, 0)


def bmp32(colour, alpha, masks=True):
    """A BMP of 32 bits; its header names an alpha channel if `masks`."""
    height, width = colour.shape[:2]
    data = np.dstack([colour[..., ::-1], np.broadcast_to(alpha, (height, width))])[::-1]
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3 if masks else 0, data.nbytes,
                       2835, 2835, 0, 0) \
        + struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    start = 14 + len(info)
    return b"BM" + struct.pack("<IHHI", start + data.nbytes, 0, 0, start) + info \
        + data.astype(np.uint8).tobytes()


def packed_tiff(values, bits, order="<", meaning=1):
    """A grey TIFF of any number of bits a sample, written by hand; each row fills whole bytes."""
    digits = values[..., None] >> np.arange(bits - 1, -1, -1) & 1
    rows = np.packbits(digits.reshape(len(values), -1).astype(np.uint8), axis=1).tobytes()
    tags = ((256, values.shape[1]), (257, len(values)), (258, bits), (259, 1), (262, meaning),
            (273, 122), (277, 1), (278, len(values)), (279, len(rows)))
    header = struct.pack(order + "2sHIH", {"<": b"II", ">": b"MM"}[order], 42, 8, len(tags))
    header += b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags)
    return header + bytes(4) + rows
