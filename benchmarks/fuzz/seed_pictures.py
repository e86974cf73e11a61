"""Sound pictures of every format that is read, 20 x 16 px, and those made to hurt."""

import io
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import tifffile
from PIL import Image

_RANDOM = np.random.default_rng(20_261_127)
GREY = _RANDOM.integers(0, 256, (16, 20), np.uint8)
COLOUR = _RANDOM.integers(0, 256, (16, 20, 3), np.uint8)
DEEP = _RANDOM.integers(0, 65536, (16, 20), np.uint16)
DEEP_COLOUR = _RANDOM.integers(0, 65536, (16, 20, 3), np.uint16)
_BY_LIBTIFF = ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "lzma", "zstd", "jpeg")


def saved(pixels: np.ndarray, kind: str, mode: str = "", **how: object) -> bytes:
    """By Pillow."""
    buffer, image = io.BytesIO(), Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, kind, **how)
    return buffer.getvalue()


def _tiff(pixels: np.ndarray, **how: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **how)  # type: ignore[arg-type]
    return buffer.getvalue()


def _cv(pixels: np.ndarray, suffix: str) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def _png() -> list[bytes]:
    found = [saved(GREY, "PNG"), saved(COLOUR, "PNG"), saved(DEEP, "PNG"), _cv(DEEP_COLOUR, ".png")]
    return [*found, *(saved(COLOUR, "PNG", mode) for mode in ("RGBA", "LA", "P", "1")), png_bomb()]


def png_bomb(side: int = 1000) -> bytes:
    """A PNG of one value and a text of 64 MiB, both packed into little."""
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + \
            struct.pack(">I", zlib.crc32(kind + content))
    rows = zlib.compress(bytes((side + 1) * side), 9)
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) \
        + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**26), 9)) \
        + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def scans(progressive: bytes, number: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times."""
    last = progressive.rfind(b"\xff\xda")
    return progressive[:last] + progressive[last:-2] * number + progressive[-2:]


def _jpeg() -> list[bytes]:
    progressive = saved(COLOUR, "JPEG", progressive=True)
    return [saved(GREY, "JPEG"), saved(COLOUR, "JPEG"), saved(COLOUR, "JPEG", "CMYK"), progressive,
            scans(progressive, 200)]


def _tiff_8() -> list[bytes]:
    found = [saved(pixels, "TIFF", compression=way) for way in _BY_LIBTIFF
             for pixels in (GREY, COLOUR)]
    found += [saved(GREY, "TIFF", "1", compression=way) for way in ("group3", "group4")]
    return [*found, saved(COLOUR, "TIFF", "P"), saved(COLOUR, "TIFF", "CMYK"),
            _tiff(np.stack([GREY] * 3), photometric="minisblack"), tiled(16, 16)]


def tiled(width: int, height: int, tile: int = 16) -> bytes:
    """A grey TIFF of packed tiles, all of which lie at one place of the file."""
    number = -(-width // tile) * -(-height // tile)
    content = zlib.compress(bytes(tile * tile), 9)
    start = 8 + 2 + 9 * 12 + 4
    tags = ((256, width), (257, height), (258, 8), (259, 8), (262, 1), (322, tile), (323, tile))
    places = start + 8 * number
    lists = (324, start, places), (325, start + 4 * number, len(content))
    header = struct.pack("<2sHIH", b"II", 42, 8, 9)
    header += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    for tag, where, value in lists:
        header += struct.pack("<HHII", tag, 4, number, where if number > 1 else value)
    return header + bytes(4) + struct.pack(f"<{number}I", *[places] * number) + \
        struct.pack(f"<{number}I", *[len(content)] * number) + content


def _tiff_16() -> list[bytes]:
    found = [_tiff(pixels, compression=way, predictor=way is not None)
             for way in (None, "zlib") for pixels in (DEEP, DEEP_COLOUR)]
    return [*found, _tiff(DEEP, bigtiff=True), _tiff(DEEP, byteorder=">"),
            _tiff(DEEP, tile=(16, 16)), _tiff(np.stack([DEEP] * 5), photometric="minisblack")]


def _pnm() -> list[bytes]:
    text = b" ".join(b"%d" % value for value in DEEP.ravel())
    return [saved(GREY, "PPM"), saved(COLOUR, "PPM"), saved(GREY, "PPM", "1"),
            b"P5 20 16 65535\n" + DEEP.byteswap().tobytes(), b"P2 20 16 65535\n" + text,
            b"P2 20 16 255\n" + b" ".join(b"%d" % value for value in GREY.ravel()),
            b"P2 " + b"0" * 5000 + b"20 16 65535\n" + text]


def _sequence(kind: str) -> list[bytes]:
    more = [Image.fromarray(COLOUR[::-1])]
    return [saved(COLOUR, kind), saved(COLOUR, kind, save_all=True, append_images=more)]


PICTURES: dict[str, Callable[[], list[bytes]]] = {
    "PNG": _png, "JPEG": _jpeg, "TIFF of 8 bits": _tiff_8, "TIFF of 16 bits": _tiff_16,
    "BMP": lambda: [saved(GREY, "BMP"), saved(COLOUR, "BMP"), saved(COLOUR, "BMP", "P")],
    "GIF": lambda: _sequence("GIF"), "WebP": lambda: _sequence("WEBP"), "PNM": _pnm,
    "JPEG 2000": lambda: [saved(GREY, "JPEG2000"), saved(COLOUR, "JPEG2000"),
                          saved(DEEP, "JPEG2000"), _cv(np.tile(DEEP_COLOUR, (4, 4, 1)), ".jp2")],
    "AVIF": lambda: [saved(COLOUR, "AVIF", speed=10)]}
"""Seeds by format."""
