"""The overlay of a judged picture: its regions as outlines, its verdict as caption."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.drawing.overlay import Caption, overlay

TOLD = 3
"""Regions that the caption describes; all are outlined."""


def judged_picture(image: NDArray[np.uint8] | NDArray[np.uint16], name: str, who: str, found: Any,
                   regions: Any) -> Image.Image:
    """A picture for people.

    image: (H, W) or (H, W, 3), as it was judged. who: line and version. found: a
    hdm.detector.detector.Prediction. regions: hdm.detector.regions.Regions of it.
    """
    below = (f"{name} · {who}", *_places(found, regions))
    caption = Caption(found.decision, _verdict(found), below)
    return overlay(image, [region.outline for region in regions.told], caption,
                   getattr(found, "ignored", None))


def _verdict(found: Any) -> str:
    if found.decision == "undecidable":
        return " ".join(doubt.sentence for doubt in getattr(found, "reasons", ()))
    return f"score {found.score:.2f}, threshold {found.threshold:.2f}"


def _places(found: Any, regions: Any) -> list[str]:
    """A row a region."""
    if not regions.told:
        return ["no single place: unlike good parts as a whole"] if found.decision == "defect" \
            else []
    told = [f"{number}: {region.width} × {region.height} px at {region.left}, {region.top}, peak "
            f"{region.peak:.2f}" for number, region in enumerate(regions.told[:TOLD], start=1)]
    rest = len(regions.told) + regions.more - len(told)
    return [*told, f"and {rest} more"] if rest else told
