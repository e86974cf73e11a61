"""Defects that an annotation file outlines, drawn as masks.

Coordinates are continuous, as annotation tools write them: (0, 0) is the upper left corner of the
image and (0.5, 0.5) the centre of its first pixel. A pixel is marked if its centre is inside.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_FAR = 1e6  # px; farther points would overflow OpenCV's coordinates


@dataclass(frozen=True)
class Polygon:
    """A closed outline: (x, y) in px from the image's upper left corner, at least three points."""

    points: tuple[tuple[float, float], ...]

    @property
    def area(self) -> float:
        """Area in px² by the shoelace formula."""
        x, y = np.array(self.points).T
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

    def draw(self, mask: NDArray[np.uint8]) -> None:
        """Set to 1 the pixels whose centre is inside (left and upper edge belong to it, right and
        lower do not); where lines cross, inside is what an odd number of them encloses.

        An outline too thin to hold the centre of any pixel marks the pixels it runs through. What
        lies outside the picture is cut off.
        """
        height, width = mask.shape
        x, y = np.array(self.points, np.float64).T
        next_x, next_y = np.roll(x, -1), np.roll(y, -1)
        empty = True
        for row in range(max(math.floor(y.min()), 0), min(math.ceil(y.max()), height)):
            centre = row + 0.5
            crossed = (y <= centre) != (next_y <= centre)
            slope = (next_x - x)[crossed] / (next_y - y)[crossed]
            at = np.sort(x[crossed] + (centre - y[crossed]) * slope)
            # Pixel j is inside if left <= j + 0.5 < right.
            first = np.ceil(np.clip(at, 0, width) - 0.5).astype(int)
            for left, right in zip(first[::2], first[1::2], strict=True):
                mask[row, left:right] = 1
                empty = empty and right <= left
        if empty:
            corners = np.floor(np.clip(self.points, -_FAR, _FAR)).astype(np.int32)
            cv2.polylines(mask, [corners], isClosed=True, color=(1,))


@dataclass(frozen=True)
class RunLength:
    """COCO's run lengths: counts down the columns, unmarked ones first, of a (height, width) mask.
    """

    height: int
    width: int
    counts: tuple[int, ...]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> "RunLength":
        """The run lengths of a (height, width) mask."""
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(flat)) + 1
        runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
        counts = [0, *runs] if flat.size and flat[0] else [*runs]
        return cls(mask.shape[0], mask.shape[1], tuple(int(count) for count in counts))

    @classmethod
    def checked(cls, height: int, width: int, counts: Sequence[int]) -> "RunLength":
        """The same from numbers of a file; raises ValueError if they are no mask of that size."""
        if height < 1 or width < 1 or min(counts, default=0) < 0:
            raise ValueError(f"no numbers of pixels of {width}x{height} px")
        if sum(counts) != height * width:
            raise ValueError(f"for {sum(counts)} px, and not for {width}x{height}")
        return cls(height, width, tuple(counts))

    @property
    def area(self) -> float:
        """Number of marked pixels."""
        return float(sum(self.counts[1::2]))

    def draw(self, mask: NDArray[np.uint8]) -> None:
        """Set the marked pixels to 1; raises ValueError if the mask has another size."""
        if mask.shape != (self.height, self.width) or sum(self.counts) != mask.size:
            raise ValueError(f"run lengths of {self.width}x{self.height} px")
        marked = np.repeat(np.arange(len(self.counts)) % 2, self.counts)
        mask |= marked.reshape(self.width, self.height).T.astype(np.uint8)


Region = Polygon | RunLength


def drawn(regions: Iterable[Region], height: int, width: int) -> NDArray[np.bool_]:
    """All `regions` on one mask, (height, width); raises ValueError for one of another size."""
    mask = np.zeros((height, width), np.uint8)
    for region in regions:
        region.draw(mask)
    return mask.astype(bool)
