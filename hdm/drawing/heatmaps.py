"""Heat-map pictures: image | ground truth | anomaly map, on one colour scale for every image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from hdm.drawing.hatching import hatched

PANEL = 208
GAP = 4
COLOUR_MAP = "inferno"
OUTLINE = (0, 200, 255)
"""Of the ground truth: neither green nor red, which are verdicts."""
_PAPER, _INK, _FAINT = (255, 255, 255), (28, 32, 38), (106, 114, 126)
_ALARM, _PASS, _EMPTY = (178, 48, 32), (30, 110, 70), (236, 238, 241)
_MARGIN, _HEADER, _CAPTION, _COLUMNS = 24, 92, 52, 2


@dataclass(frozen=True)
class Card:
    """One image of a sheet: its picture from `strip` and the two lines below it."""

    picture: Image.Image
    name: str
    verdict: str
    wrong: bool


def colours(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Anomaly 0..255 (for 0 to 1) as RGB (H, W, 3); never stretched to the image's own range."""
    return _table()[values]


def heat_picture(anomaly_map: np.ndarray, ignored: np.ndarray | None = None) -> Image.Image:
    """(H, W) in [0, 1] on the colour scale that every picture has; what is `ignored` is hatched."""
    levels = (anomaly_map.clip(0, 1) * 255).round().astype(np.uint8)
    return hatched(Image.fromarray(colours(levels)), ignored)


@cache
def _table() -> NDArray[np.uint8]:
    from matplotlib import colormaps  # late: 0.3 s, and few pictures show heat

    return (colormaps[COLOUR_MAP](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def for_display(image: NDArray[np.uint8] | NDArray[np.uint16]) -> Image.Image:
    """Any image the readers give as 8-bit RGB.

    16-bit images seldom fill their range, so their 0.5 to 99.5 percentiles become black and white.
    """
    if image.dtype == np.uint16:
        low, high = np.percentile(image, (0.5, 99.5))
        stretched = (image.astype(np.float32) - low) / max(high - low, 1.0)
        image = (stretched.clip(0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(image).convert("RGB")


def strip(image: NDArray, mask: NDArray[np.bool_] | None, anomaly: NDArray[np.uint8],
          defective: bool, ignored: NDArray[np.bool_] | None = None) -> Image.Image:
    """Three panels of 208 px side by side; `anomaly` is a thumbnail of evaluate, `mask` (H, W).
    What is `ignored` (H, W) is hatched."""
    shown = hatched(_fitted(for_display(image), Image.Resampling.LANCZOS), ignored)
    truth = shown if mask is None else outlined(shown, mask)
    note = "" if mask is not None else "no mask" if defective else "no defect"
    # Nearest: no value may appear that the map does not have.
    heat = _fitted(Image.fromarray(colours(anomaly)), Image.Resampling.NEAREST, shown.size)
    heat = hatched(heat, ignored)
    picture = Image.new("RGB", (3 * PANEL + 2 * GAP, PANEL), _PAPER)
    for place, panel in enumerate((shown, truth, heat)):
        left = place * (PANEL + GAP)
        picture.paste(_EMPTY, (left, 0, left + PANEL, PANEL))
        picture.paste(panel, (left + (PANEL - panel.width) // 2, (PANEL - panel.height) // 2))
    if note:
        _label(picture, PANEL + GAP, note)
    return picture


def outlined(shown: Image.Image, mask: NDArray[np.bool_]) -> Image.Image:
    """`shown` with the border of `mask` (any size, same aspect) drawn just outside the defect."""
    # Late: 0.3 s of processor time that a heat map alone does not need.
    from scipy import ndimage

    # The largest value wins when shrinking, so that a defect of one pixel stays visible.
    rows = np.linspace(0, mask.shape[0], shown.height + 1).astype(int)
    columns = np.linspace(0, mask.shape[1], shown.width + 1).astype(int)
    small = np.add.reduceat(mask.astype(np.int64), rows[:-1], axis=0)
    small = np.add.reduceat(small, columns[:-1], axis=1) > 0
    near, far = (ndimage.binary_dilation(small, np.ones((3, 3)), n) for n in (2, 3))
    pixels = np.array(shown)
    pixels[far & ~near] = 0
    pixels[near & ~ndimage.binary_dilation(small, np.ones((3, 3)))] = OUTLINE
    return Image.fromarray(pixels)


def _fitted(image: Image.Image, filtered: Image.Resampling,
            size: tuple[int, int] | None = None) -> Image.Image:
    """`image` with its longer side at the panel's, or at exactly `size`."""
    scale = PANEL / max(image.size)
    target = size or (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = max(image.size) <= PANEL // 2
    return image.resize(target, Image.Resampling.NEAREST if small else filtered)


def _label(picture: Image.Image, left: int, text: str) -> None:
    draw = ImageDraw.Draw(picture)
    box = draw.textbbox((left + 10, 10), text, font=font(12))
    draw.rectangle((box[0] - 5, box[1] - 4, box[2] + 5, box[3] + 4), fill=_PAPER)
    draw.text((left + 10, 10), text, font=font(12), fill=_FAINT)


def sheet(title: str, subtitle: str, cards: Sequence[Card]) -> Image.Image:
    """All cards in two columns below a heading and the colour bar."""
    width = 3 * PANEL + 2 * GAP
    height = PANEL + _CAPTION
    rows = -(-len(cards) // _COLUMNS)
    page = Image.new("RGB", (_COLUMNS * (width + _MARGIN) + _MARGIN,
                             _HEADER + rows * (height + 12) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN, 20), title, font=font(22, bold=True), fill=_INK)
    draw.text((_MARGIN, 54), subtitle, font=font(13), fill=_FAINT)
    bar = colour_bar()
    page.paste(bar, (page.width - _MARGIN - bar.width, 18))
    for number, card in enumerate(cards):
        left = _MARGIN + number % _COLUMNS * (width + _MARGIN)
        top = _HEADER + number // _COLUMNS * (height + 12)
        page.paste(card.picture, (left, top))
        name = shortened(card.name, width, 13)
        draw.text((left, top + PANEL + 6), name, font=font(13), fill=_INK)
        draw.text((left, top + PANEL + 25), card.verdict, font=font(13, bold=card.wrong),
                  fill=_ALARM if card.wrong else _PASS)
    return page


def colour_bar(width: int = 360) -> Image.Image:
    """The colour scale with its ends and middle named."""
    bar = Image.new("RGB", (width, 58), _PAPER)
    ramp = np.tile(np.linspace(0, 255, width - 20).round().astype(np.uint8), (14, 1))
    bar.paste(Image.fromarray(colours(ramp)), (10, 18))
    draw = ImageDraw.Draw(bar)
    draw.text((10, 0), "anomaly map, same scale for every image", font=font(11), fill=_FAINT)
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.text((10 + value * (width - 21), 36), f"{value:g}", font=font(11), fill=_INK,
                  anchor="ma")
    return bar


def shortened(name: str, width: int, size: int) -> str:
    """`name` with its middle left out if it is wider than `width` px."""
    if font(size).getlength(name) <= width:
        return name
    for keep in range(min(len(name), width) // 2, 0, -1):
        short = f"{name[:keep]}…{name[-keep:]}"
        if font(size).getlength(short) <= width:
            return short
    return "…"


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib, so that every machine draws the same."""
    import matplotlib  # late, as above

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)
