"""Where a line's pictures are not inspected: one boolean mask, for pictures of any size.

What lies there is replaced before anything looks at a picture, so that no answer depends on it.
"""

import base64
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

MOST = 2048
"""Longest side in px at which a mask is kept."""


@dataclass(frozen=True)
class IgnoreMask:
    """sums (H + 1, W + 1) int32: how many ignored cells of H x W lie above and left of a corner,
    so that those of any rectangle are a difference of four (a summed-area table)."""

    sums: Tensor

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Self:
        """Of (H, W), true where nothing is inspected; larger ones are kept at 2,048 px a side."""
        own = cls(_summed(torch.from_numpy(np.ascontiguousarray(mask))))
        height, width = mask.shape
        if max(mask.shape) <= MOST:
            return own
        return cls(_summed(own.touched(min(height, MOST), min(width, MOST))))

    @property
    def share(self) -> float:
        """Ignored share of the picture, 0 to 1."""
        return float(self.sums[-1, -1]) / ((self.sums.shape[0] - 1) * (self.sums.shape[1] - 1))

    def touched(self, height: int, width: int) -> Tensor:
        """Pixels of a picture of that size that the mask touches, however little: (H, W) bool.
        They are what is ignored in a picture."""
        return self._counted(height, width)[0] > 0

    def whole(self, height: int, width: int) -> Tensor:
        """Places of a map of that size that the mask covers whole, (H, W) bool: what is ignored in
        a map that is coarser than the picture."""
        count, area = self._counted(height, width)
        return count == area

    def _counted(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Ignored cells under each pixel, and all of them. Integers alone: a runtime that has the
        sizes only when it runs counts the same."""
        top, bottom = _cells(height, self.sums.shape[0] - 1)
        left, right = _cells(width, self.sums.shape[1] - 1)
        upper, lower = self.sums[top], self.sums[bottom]
        count = lower[:, right] - lower[:, left] - upper[:, right] + upper[:, left]
        return count, (bottom - top)[:, None] * (right - left)[None]

    def text(self) -> str:
        """It as text, for JSON."""
        cells = self.sums.diff(dim=0).diff(dim=1).numpy() > 0
        buffer = io.BytesIO()
        Image.fromarray(cells).save(buffer, format="PNG", optimize=True)
        return base64.b64encode(buffer.getvalue()).decode("ascii")


@lru_cache(8)
def from_text(text: str) -> IgnoreMask:
    """The inverse of `IgnoreMask.text`; raises ValueError for any other text."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as file:
            return IgnoreMask.of(np.array(file.convert("1")))
    except (OSError, SyntaxError) as error:
        raise ValueError(f"expected an ignore mask as text, found another ({error})") from None


@lru_cache(4)
def touched(text: str, height: int, width: int) -> Tensor:
    """`IgnoreMask.touched` of a mask as text."""
    return from_text(text).touched(height, width)


def ignored_pixels(text: str, height: int, width: int) -> NDArray[np.bool_] | None:
    """The same as an array (H, W); None for an empty text, where all is inspected."""
    return touched(text, height, width).numpy() if text else None


def inspected_only(text: str, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What a mask (H, W) marks in inspected places; text: the ignore mask as text."""
    hidden = ignored_pixels(text, *marked.shape)
    return marked if hidden is None else marked & ~hidden


@dataclass(frozen=True)
class Ignored:
    """What is ignored at one size. pixels (H, W) bool; nearest (H W,): the number of the inspected
    pixel that is nearest each; inspected: how many these are, at least 1."""

    pixels: Tensor
    nearest: Tensor
    inspected: int

    @classmethod
    def of(cls, pixels: Tensor) -> Self:
        """Of (H, W), of which at least one pixel is inspected."""
        rows, columns = _nearest(pixels)
        return cls(pixels, _numbers(rows, columns), int((~pixels).sum()))

    def repeated(self, maps: Tensor) -> Tensor:
        """Maps (N, K, H, W) whose ignored places repeat what the nearest inspected one says, so
        that nothing said of them spreads when the maps are enlarged."""
        return maps.flatten(2)[:, :, self.nearest].view(maps.shape)


@lru_cache(4)
def reflection(text: str, height: int, width: int) -> Tensor:
    """Of each pixel of H x W, the number of the one that is shown there: its own where it is
    inspected, elsewhere that of the pixel as far on this side of the mask's edge as it lies beyond.
    So what surrounds an ignored place goes on in it. (H W,)."""
    pixels = touched(text, height, width)
    own = np.indices(pixels.shape)
    if bool(pixels.all()):
        return _numbers(*own)
    nearest = np.stack(_nearest(pixels))
    limits = np.array(pixels.shape)[:, None, None] - 1
    rows, columns = np.clip(2 * nearest - own, 0, limits)
    # Where that is ignored, too, its nearest inspected pixel is: this one stays where it is.
    return _numbers(*nearest[:, rows, columns])


def filled(image: Tensor, ignored: Tensor) -> Tensor:
    """(..., H, W) with the mean of each plane's inspected pixels wherever `ignored` (H, W): what
    stands out least, and what a change of contrast leaves where it is."""
    inspected = (~ignored).sum().clamp(min=1)
    mean = torch.where(ignored, 0.0, image).sum((-2, -1), keepdim=True) / inspected
    return torch.where(ignored, mean, image)


def _nearest(pixels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the pixel nearest each of (H, W) that is False."""
    # Late: 0.3 s that lines without a mask do not need.
    from scipy import ndimage

    rows, columns = ndimage.distance_transform_edt(
        pixels.numpy(), return_distances=False, return_indices=True)
    return rows, columns


def _numbers(rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """Numbers of pixels, row by row, flat."""
    return torch.from_numpy(rows.ravel().astype(np.int64) * rows.shape[1] + columns.ravel())


def _cells(length: int, cells: int) -> tuple[Tensor, Tensor]:
    """First cell under each of `length` pixels, and the one behind its last."""
    place = torch.arange(length)
    return place * cells // length, ((place + 1) * cells + length - 1) // length


def _summed(mask: Tensor) -> Tensor:
    sums = mask.to(torch.int32).cumsum(0).cumsum(1).to(torch.int32)
    return torch.nn.functional.pad(sums, (1, 0, 1, 0))
