"""Mask files: which of their colours is background, and what they mark."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.drawn import FEW
from hdm.dataset.images import read_image
from hdm.dataset.problems import listing
from hdm.errors import DataError

_FAINT = 32 / 255
"""Of the range: what differs less from the background of a mask in a lossy format is its noise."""
_FLAT = 0.5  # share of pixels like their neighbour in what is drawn flat
_STEP = 16  # of 255: colours of a soft mask are told apart by so much
_LOSSY, _MAYBE_LOSSY = ("JPEG", "MPO"), ("JPEG2000", "WEBP", "AVIF")
_MOST = 0.8  # share of the masks that agree, for what no convention says
_COVERED = 0.75  # median share of the masks' pixels that are background, for white to be it
BLACK = (0, 0, 0)


@dataclass(frozen=True)
class RawMask:
    """A mask as it is stored. values: (H, W, 1 or 3). soft: edges are blurred or noisy, so that
    half of the way from the background counts; else any other value does."""

    name: str
    values: NDArray
    soft: bool

    def colours(self) -> "MaskColours":
        """What it is made of."""
        values = self.values
        if self.soft:
            step = values.dtype.type(_STEP * (np.iinfo(values.dtype).max // 255))
            values = values // step * step
        sides = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
        return MaskColours(self.name, _counted(values.reshape(-1, values.shape[2])),
                           _counted(sides))


@dataclass(frozen=True)
class MaskColours:
    """Pixels of a mask by their colour (red, green, blue): all, and those along its four sides."""

    name: str
    all: Counter[tuple[int, ...]]
    sides: Counter[tuple[int, ...]]


@dataclass(frozen=True)
class MaskRule:
    """What marks a defect: any colour but `background`, or the grey `values` alone."""

    background: tuple[int, ...] = BLACK
    values: tuple[int, ...] = ()

    def marked(self, mask: RawMask) -> NDArray[np.bool_]:
        """(H, W), True on the defect. Raises ValueError for a soft mask that is too faint."""
        if self.values:
            return np.asarray(np.isin(mask.values, self.values).any(2))
        background = np.array(self.background[-mask.values.shape[2]:])
        away = np.abs(mask.values.astype(np.int64) - background).max(2)
        if not mask.soft:
            return away > 0
        peak, least = int(away.max()), _FAINT * np.iinfo(mask.values.dtype).max
        if 0 < peak < least:
            raise ValueError(f"a mask in a lossy format whose strongest value is {peak} away from "
                             "its background, which cannot be told from noise: save masks as PNG")
        return away > max(peak / 2, least / 2)


def open_mask(path: Path, name: str) -> RawMask:
    """Read a mask file; one that is drawn in its transparency alone is that transparency.

    Raises UnreadableImage.
    """
    pixels = read_image(path)
    values = pixels if pixels.ndim == 3 else pixels[..., None]
    if (values == values[0, 0]).all():
        values = _transparency(path, values)
    if values.shape[2] == 3 and (values == values[..., :1]).all():
        values = values[..., :1]
    container = _container(path)
    lossy = container in _LOSSY or (
        container in _MAYBE_LOSSY and len(np.unique(values)) > FEW)
    return RawMask(name, values, lossy or _blurred(values))


def colours_of(path: Path, name: str) -> MaskColours:
    """What a mask file is made of; raises UnreadableImage."""
    return open_mask(path, name).colours()


def marked_by(path: Path, name: str, rule: MaskRule) -> NDArray[np.bool_]:
    """(H, W), True on the defect; raises ValueError for a mask that is too faint."""
    return rule.marked(open_mask(path, name))


def find_rule(masks: Sequence[MaskColours], of_good: Sequence[MaskColours],
              wanted: str | tuple[int, ...]) -> tuple[MaskRule, list[str]]:
    """The rule of a line, from the masks of its defects and of its good images, and notes.

    By convention black is background. It is not if masks of good images have another colour, or if
    another one covers most of nearly all masks: where black does not occur, or marks what no
    border touches. Raises DataError where that is not certain.
    """
    if not isinstance(wanted, str):
        return MaskRule(values=wanted), []
    if wanted == "bright":
        return MaskRule(), []
    telling = [mask for mask in masks if len(mask.all) > 1]
    if wanted == "dark":
        return MaskRule(_brightest(telling)), []
    plain = Counter(next(iter(mask.all)) for mask in of_good if len(mask.all) == 1)
    agree = sum(mask.all.most_common(1)[0][0] == next(iter(plain), BLACK) for mask in telling)
    if len(plain) == 1 and agree >= _MOST * len(telling):
        return _told(next(iter(plain)), telling, "The area of the masks of good images is")
    if not telling:
        return MaskRule(), []
    most = [mask.all.most_common(1)[0][0] for mask in telling]
    colour, number = Counter(most).most_common(1)[0]
    if colour == BLACK and number > 0.5 * len(telling) and (not plain or BLACK in plain):
        return MaskRule(), _doubts(telling)
    others = [c for c in most if c != BLACK]
    if not others:
        raise DataError("the masks do not tell what is background: black covers most of those of "
                        f"defects, and masks of good images ({of_good[0].name}) have another "
                        "colour; correct them, or say `ingest: {masks: bright}`.")
    colour = Counter(others).most_common(1)[0][0]
    shares = [mask.all[colour] / mask.all.total() for mask in telling]
    bordered = [mask.sides[colour] >= 0.9 * mask.sides.total() for mask in telling]
    without_black = sum(BLACK not in mask.all for mask in telling) >= 0.95 * len(telling)
    agree = others.count(colour) >= _MOST * len(telling)
    certain = without_black or (np.mean(bordered) >= _MOST and np.median(shares) >= _COVERED)
    if agree and certain:
        return _told(colour, telling, "Most of the area of most masks is")
    raise DataError(
        f"the masks do not tell what is background: on {len(others)} of {len(telling)} of them "
        f"another colour than black covers most ({telling[most.index(colour)].name}); say "
        "`ingest: {masks: bright}` if what is not black is the defect, `{masks: dark}` if black "
        "is, or list the values that mark it, `{masks: [2, 3]}`.")


def _doubts(masks: Sequence[MaskColours]) -> list[str]:
    """A note on masks that look inverted beside others that do not."""
    odd = [mask.name for mask in masks if mask.all[BLACK] < 0.25 * mask.all.total()
           and mask.sides[BLACK] < 0.1 * mask.sides.total()]
    return [f"{len(odd)} of {len(masks)} masks mark most of their image and its border "
            f"({listing(odd)}): if they are inverted, invert them."] if odd else []


def _told(colour: tuple[int, ...], masks: Sequence[MaskColours], why: str,
          ) -> tuple[MaskRule, list[str]]:
    if colour == BLACK:
        return MaskRule(), []
    shown = str(colour[0]) if len(set(colour)) == 1 else str(colour)
    return MaskRule(colour), [f"{why} of the value {shown}: it is taken as background of all "
                              f"{len(masks)} masks, and what has another value as the defect; "
                              "`ingest.masks` can say otherwise."]


def _brightest(masks: Sequence[MaskColours]) -> tuple[int, ...]:
    return max((colour for mask in masks for colour in mask.all), default=(255, 255, 255))


def _counted(values: NDArray) -> Counter[tuple[int, ...]]:
    found, counts = np.unique(values, axis=0, return_counts=True)
    colours = [tuple(int(value) for value in colour) for colour in found]
    return Counter({colour * 3 if len(colour) == 1 else colour: int(count)
                    for colour, count in zip(colours, counts, strict=True)})


def _blurred(values: NDArray) -> bool:
    """Whether values between the extremes lie at edges alone; numbered areas are flat inside."""
    if len(np.unique(values)) <= FEW:
        return False
    plane = values.max(2)
    between = ((plane != plane.min()) & (plane != plane.max()))[:, 1:]
    alike = plane[:, 1:] == plane[:, :-1]
    return bool(between.any() and alike[between].mean() < _FLAT)


def _transparency(path: Path, values: NDArray) -> NDArray:
    """The alpha channel where it varies, `values` otherwise."""
    try:
        with Image.open(path) as image:
            if not image.has_transparency_data:
                return values
            alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    except Exception:  # its pixels were read by another decoder, so it has no such channel
        return values
    return alpha[..., None] if np.ptp(alpha) else values


def _container(path: Path) -> str:
    try:
        with Image.open(path) as image:
            return image.format or ""
    except Exception:  # what Pillow does not open is a TIFF of a special kind, which is lossless
        return ""
