"""A picture with outlines on it and what is said of it below: what is shown to a person."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hdm.drawing.hatching import hatched
from hdm.drawing.heatmaps import OUTLINE, font, for_display, shortened

SMALLEST, LARGEST = 640, 1600
"""Longer side in px of the picture as it is drawn: enough for thin lines, little on the disk."""
NARROWEST = 480
"""Width in px that the caption needs."""
BAR_SHARE = 0.25
"""The length bar is at most that share of the picture's width."""
_PAPER, _INK, _FAINT, _HALO = (255, 255, 255), (28, 32, 38), (106, 114, 126), (0, 0, 0)
_COLOURS = {"good": (30, 110, 70), "defect": (178, 48, 32)}
_DOUBT = (150, 96, 0)
_MARGIN, _ROW = 14, 22


class Caption(NamedTuple):
    """decision: good, defect or undecidable, which has its colour. said: beside it, the score for
    example. below: further rows."""

    decision: str
    said: str
    below: tuple[str, ...] = ()


def overlay(image: NDArray[np.uint8] | NDArray[np.uint16],
            outlines: Sequence[Sequence[tuple[int, int]]], caption: Caption,
            ignored: NDArray[np.bool_] | None = None) -> Image.Image:
    """The picture with numbered outlines, a length bar and the caption.

    image: (H, W) or (H, W, 3). outlines: corners (x, y) of polygons in the image's pixels, along
    their edges. ignored: (H, W), what is not inspected, which is hatched; None where all is.
    """
    height, width = image.shape[:2]
    scale = min(LARGEST, max(SMALLEST, width, height)) / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    page = Image.new("RGB", (max(size[0], NARROWEST),
                             size[1] + 2 * _MARGIN + _ROW * (2 + len(caption.below))), _PAPER)
    shown = for_display(image).resize(
        size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS)
    shown = hatched(shown, ignored)
    _outline(shown, outlines, scale)
    page.paste(shown, ((page.width - size[0]) // 2, 0))
    _write(page, size[1] + _MARGIN, caption, _length_bar(page, size[1] + _MARGIN, width, scale))
    return page


def length_of_bar(width: int) -> int:
    """A round number of pixels (1, 2 or 5 with noughts), at most a quarter of the width."""
    most = max(1.0, BAR_SHARE * width)
    step = 10 ** int(np.floor(np.log10(most)))
    return int(max(step * n for n in (1, 2, 5) if step * n <= most))


def _outline(shown: Image.Image, outlines: Sequence[Sequence[tuple[int, int]]], scale: float
             ) -> None:
    draw = ImageDraw.Draw(shown)
    for corners in outlines:
        points = [(x * scale, y * scale) for x, y in corners]
        for colour, line in ((_HALO, 4), (OUTLINE, 2)):
            draw.line([*points, points[0]], fill=colour, width=line, joint="curve")
    if len(outlines) > 1:  # the numbers of the list, above all lines
        for number, corners in enumerate(outlines, start=1):
            x, y = min((y, x) for x, y in corners)[::-1]
            place = (min(max(2, x * scale), shown.width - 22), max(2, y * scale - 20))
            draw.text(place, str(number), font=font(15, bold=True), fill=OUTLINE,
                      stroke_width=2, stroke_fill=_HALO)


def _length_bar(page: Image.Image, top: int, width: int, scale: float) -> int:
    """Draw it at the right; the width that is left for text."""
    pixels = length_of_bar(width)
    length = round(pixels * scale)
    right, draw = page.width - _MARGIN, ImageDraw.Draw(page)
    draw.line([(right - length, top + 8), (right, top + 8)], fill=_INK, width=3)
    for x in (right - length, right):
        draw.line([(x, top + 2), (x, top + 14)], fill=_INK, width=2)
    draw.text((right, top + 18), f"{pixels} px", font=font(12), fill=_FAINT, anchor="ra")
    return right - max(length, 60) - 2 * _MARGIN


def _write(page: Image.Image, top: int, caption: Caption, room: int) -> None:
    draw = ImageDraw.Draw(page)
    colour = _COLOURS.get(caption.decision, _DOUBT)
    draw.text((_MARGIN, top), caption.decision, font=font(18, bold=True), fill=colour)
    left = _MARGIN + round(font(18, bold=True).getlength(caption.decision)) + 12
    draw.text((left, top + 4), shortened(caption.said, room - left, 14), font=font(14), fill=_INK)
    for number, text in enumerate(caption.below, start=1):
        wide = room if number == 1 else page.width - 2 * _MARGIN
        draw.text((_MARGIN, top + 6 + number * _ROW), shortened(text, wide - _MARGIN, 13),
                  font=font(13), fill=_FAINT)
