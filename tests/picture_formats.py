"""Every format x depth x colour of a line: how it is written, and what it decodes to."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tifffile
from image_files import deep_png
from PIL import Image


class Format(NamedTuple):
    """`write(path, pixels)` stores uint8 or uint16, (H, W) or (H, W, 3), up to `tolerance`."""

    suffix: str
    write: Callable[[Path, np.ndarray], object]
    tolerance: int = 0


def _pillow(container: str, **options):
    return lambda path, pixels: Image.fromarray(pixels).save(path, container, **options)


def _deep_png(path: Path, pixels: np.ndarray) -> None:
    path.write_bytes(deep_png(pixels))


def _pnm(path: Path, pixels: np.ndarray) -> None:
    assert cv2.imwrite(str(path), pixels if pixels.ndim == 2 else pixels[..., ::-1])


def _tiff(**options):
    return lambda path, pixels: tifffile.imwrite(
        path, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack", **options)


def _white_is_zero(path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(path, np.iinfo(pixels.dtype).max - pixels, photometric="miniswhite")


def _planes(path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(path, np.moveaxis(pixels, -1, 0), photometric="rgb", planarconfig="separate")


def _with_alpha(path: Path, pixels: np.ndarray) -> None:
    full = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
    tifffile.imwrite(path, np.dstack([pixels, full]), photometric="rgb",
                     extrasamples=["unassalpha"])


GREY8 = {
    "png": Format(".png", _pillow("PNG")), "jpeg": Format(".jpg", _pillow("JPEG", quality=98),
                                                         tolerance=4),
    "jfif": Format(".jfif", _pillow("JPEG", quality=98), tolerance=4),
    "bmp": Format(".BMP", _pillow("BMP")), "dib": Format(".dib", _pillow("DIB")),
    "gif": Format(".gif", _pillow("GIF")), "pgm": Format(".pgm", _pnm),
    "webp": Format(".webp", _pillow("WEBP", lossless=True)),
    "jp2": Format(".jp2", _pillow("JPEG2000", irreversible=False)),
    "tiff": Format(".TIF", _tiff()), "lzw": Format(".tiff", _tiff(compression="zlib")),
    "white is zero": Format(".tif", _white_is_zero),
}
RGB8 = {
    "png": Format(".png", _pillow("PNG")),
    "jpeg": Format(".jpe", _pillow("JPEG", quality=100, subsampling=0), tolerance=6),
    "bmp": Format(".bmp", _pillow("BMP")), "ppm": Format(".ppm", _pnm),
    "webp": Format(".WEBP", _pillow("WEBP", lossless=True)),
    "jp2": Format(".jp2", _pillow("JPEG2000", irreversible=False)),
    "tiff": Format(".tif", _tiff()), "planes": Format(".tif", _planes),
    "alpha": Format(".tif", _with_alpha),
}
GREY16 = {
    "png": Format(".png", _deep_png), "tiff": Format(".tif", _tiff()), "pgm": Format(".pgm", _pnm),
    "big endian": Format(".tif", _tiff(byteorder=">", bigtiff=True)),
}
RGB16 = {"png": Format(".png", _deep_png), "tiff": Format(".tif", _tiff()),
         "planes": Format(".tif", _planes), "alpha": Format(".tif", _with_alpha)}
DEPTHS = {"grey 8": (GREY8, 8, 1), "colour 8": (RGB8, 8, 3), "grey 10": (GREY16, 10, 1),
          "grey 12": (GREY16, 12, 1), "grey 16": (GREY16, 16, 1), "colour 12": (RGB16, 12, 3),
          "colour 16": (RGB16, 16, 3)}
CELLS = [(depth, name) for depth, (formats, _, _) in DEPTHS.items() for name in formats]


def of_depth(pixels: np.ndarray, depth: str) -> np.ndarray:
    """(H, W) uint8 at another depth, in a container of 8 or 16 bits, grey or in colour."""
    _, bits, channels = DEPTHS[depth]
    values = pixels.astype(np.float64) / 255 * (2**bits - 1)
    if channels == 3:
        values = np.dstack([values, values * 0.9, values * 0.8])
    return np.rint(values).astype(np.uint8 if bits == 8 else np.uint16)
