"""Defects that an annotation file outlines, drawn as masks."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Polygon:
    """A closed outline: (x, y) in px from the image's upper left corner, at least three points."""

    points: tuple[tuple[float, float], ...]

    def draw(self, mask: NDArray[np.uint8]) -> None:
        """Set the pixels inside to 1; what lies outside the picture is cut off."""
        cv2.fillPoly(mask, [np.rint(np.array(self.points)).astype(np.int32)], (1,))


@dataclass(frozen=True)
class RunLength:
    """COCO's run lengths: counts down the columns, unmarked ones first, of a (height, width) mask.
    """

    height: int
    width: int
    counts: tuple[int, ...]

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
