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
    named = list(dict.fromkeys(path for result in verdict.failures
                               for path in result.paths[:SHOWN]))
    rows = manifest.where(manifest.frame["path"].isin(named).to_numpy())
    masks = {row.path: manifest.mask_file(row) for row in rows}
    pictures = {path: _picture(manifest.root / path, masks.get(path)) for path in named}
    return {path: picture for path, picture in pictures.items() if picture}


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
