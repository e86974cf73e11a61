"""Small pictures of the images that offend, for Data Docs: what is wrong is mostly seen at once."""

import io
from pathlib import Path

from PIL import Image

from hdm.dataset.images import UnreadableImage, read_image, read_mask
from hdm.dataset.manifest import Manifest
from hdm.drawing.heatmaps import for_display, outlined
from hdm.drawing.html import data_uri
from hdm.validation.verdict import Verdict

SIDE = 120
"""Longer side of a picture in px."""
SHOWN = 12
"""Pictures an expectation."""


def offending(manifest: Manifest, verdict: Verdict) -> dict[str, str]:
    """The first images that each unmet expectation names, as data URIs by their path; the mask is
    outlined. Files that cannot be decoded have none."""
    masks = {row.path: manifest.mask_file(row) for row in manifest}
    found: dict[str, str] = {}
    for result in verdict.failures:
        for path in result.paths[:SHOWN]:
            if path not in found and (picture := _picture(manifest.root / path, masks.get(path))):
                found[path] = picture
    return found


def _picture(file: Path, mask: Path | None) -> str:
    try:
        picture = for_display(read_image(file))
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        if mask is not None:
            marked = read_mask(mask)
            picture = outlined(picture, marked) if marked.any() else picture
    except (UnreadableImage, ValueError):
        return ""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return data_uri(stream.getvalue())
