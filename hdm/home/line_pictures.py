"""Pictures of a line as a browser shows them."""

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from hdm.dataset.images import read_image, read_mask
from hdm.dataset.manifest import Manifest, Row
from hdm.drawing.heatmaps import for_display, heat_picture, outlined
from hdm.errors import DataError
from hdm.line import Line

SMALL, LARGE = 320, 600
"""Longer side in px: in a list, and alone."""
QUALITY = 88
GAP = 8


def known_picture(line: Line, path: str) -> tuple[Manifest, Row]:
    """A picture of the line's source by its path there, as ingest has recorded it.

    Raises DataError if it has none of that path; nothing else of the disk is ever looked at.
    """
    if line.manifest_file.is_file():
        manifest = _manifest(line.manifest_file, line.source_root,
                             line.manifest_file.stat().st_mtime_ns)
        found = manifest.where((manifest.frame["path"] == path).to_numpy())
        if len(found):
            return manifest, next(iter(found))
    raise DataError(f"{line.name} has no picture {path[:200]!r} any more.")


@lru_cache(maxsize=4)
def _manifest(file: Path, root: Path, _changed: int) -> Manifest:
    """Read once for all pictures of a page, and again when it has changed."""
    return Manifest.load(file, root)


def small_picture(line: Line, path: str) -> bytes:
    """A picture of the source as a JPEG."""
    manifest, row = known_picture(line, path)
    return shown(read_image(manifest.image_file(row)))


def shown(image: np.ndarray, side: int = SMALL) -> bytes:
    """(H, W) or (H, W, 3), uint8 or uint16, as a JPEG of at most `side` px."""
    picture = for_display(image)
    picture.thumbnail((side, side))
    return encoded(picture)


def beside_its_map(image: np.ndarray, mask_file: Path | None, anomaly_map: np.ndarray,
                   ignored: np.ndarray | None) -> bytes:
    """The picture with its ground truth outlined, and its anomaly map, side by side as a JPEG."""
    picture = for_display(image)
    picture.thumbnail((LARGE, LARGE))
    # A picture of 64 px would be a stamp.
    scale = max(1, LARGE // max(picture.size))
    picture = picture.resize((picture.width * scale, picture.height * scale),
                             Image.Resampling.NEAREST)
    truth = outlined(picture, read_mask(mask_file)) if mask_file else picture
    heat = heat_picture(anomaly_map, ignored).resize(picture.size, Image.Resampling.BILINEAR)
    both = Image.new("RGB", (2 * picture.width + GAP, picture.height), (255, 255, 255))
    both.paste(truth, (0, 0))
    both.paste(heat, (picture.width + GAP, 0))
    return encoded(both)


def encoded(picture: Image.Image) -> bytes:
    """As a JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue()
