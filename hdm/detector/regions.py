"""Where on a picture the defects are: one region a defect, read from the anomaly map."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from hdm.detector.region_outline import Corner, outline_of

MOST = 10
"""Regions that are told of one picture, the strongest first."""
CLOSE, CLOSE_SHARE = 3, 0.02
"""Parts of one defect are at most so many cells of the map apart, or that share of the picture's
longer side: a crack that fades and comes back is one crack."""
SPECK = 2
"""Cells of the map, in area: what is smaller is noise, also where much of it lies together."""
SMALLEST, SMALLEST_SHARE = 4, 1e-4
"""A region has at least the area of so many cells of the map, and that share of the picture."""

PLAIN = 5.0
"""A region's peak has at least so many times the odds of the level, unless it is the strongest.
On the sample lines every defect has; of other places above the level, seven in eight have not."""


class Region(NamedTuple):
    """One defect, in pixels of the picture. Its bounding box: from (left, top), width and height.
    area: pixels above the level. peak: the highest value of the anomaly map, in [0, 1]. outline:
    corners (x, y) of a polygon around it, along the pixels' edges, as the box is."""

    left: int
    top: int
    width: int
    height: int
    area: int
    peak: float
    outline: tuple[Corner, ...]


class Regions(NamedTuple):
    """told: by falling peak, at most MOST. more: how many there are besides."""

    told: tuple[Region, ...] = ()
    more: int = 0


NO_REGIONS = Regions()


@dataclass(frozen=True)
class RegionRule:
    """What counts as one region of a line's pictures.

    level: of the anomaly map. canvas: height and width of what the map is computed on where a
    whole picture is judged; None by tiles. scale: by which pictures are resized before tiling.
    """

    level: float
    canvas: tuple[int, int] | None = None
    scale: float = 1.0

    @classmethod
    def of(cls, threshold: float, pixel: tuple[float, float], form: Mapping[str, Any]) -> Self:
        """That of a detector: its threshold, `Calibration.pixel` and input format as plain values.
        """
        whole = form["fit"] == "resize"
        return cls(level_of(threshold, pixel), (form["height"], form["width"]) if whole else None,
                   float(form.get("scale", 1.0)))

    def cell(self, height: int, width: int) -> float:
        """Sides of the map's smallest detail, in pixels of a picture of that size; at least 1."""
        if self.canvas is None:
            return max(1.0, 1 / self.scale)
        return max(1.0, height / self.canvas[0], width / self.canvas[1])

    def regions(self, decision: str, anomaly_map: np.ndarray, level: float | None = None
                ) -> Regions:
        """Those of a picture with that decision; a good one has none, unless a `level` is asked
        for, above which all are told.

        anomaly_map: (H, W) in [0, 1] at the picture's size.
        """
        if level is None and decision == "good":
            return NO_REGIONS
        cell = self.cell(*anomaly_map.shape[:2])
        if level is not None:
            return find_regions(anomaly_map, level, cell)
        odds = PLAIN * self.level
        return find_regions(anomaly_map, self.level, cell, odds / (odds + 1 - self.level))


def level_of(threshold: float, pixel: tuple[float, float]) -> float:
    """The value of an anomaly map where the evidence is at the threshold of image scores.

    A score is that of the oddest window and what is odd about the whole, 0 for the mean good image.
    So an image that is called a defect has a region at this level, unless the whole tipped the
    balance, or a large window of which no part is plain. pixel: (slope, bias) of
    `Calibration.pixel`.
    """
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, pixel[0] * threshold + pixel[1]))))


def find_regions(anomaly_map: np.ndarray, level: float, cell: float = 1.0, peak: float = 0.0
                 ) -> Regions:
    """Regions of (H, W) above `level`; pixels touch by side or corner.

    cell: sides of the map's smallest detail, in its pixels. peak: that a region must reach, unless
    it is the strongest one.
    """
    above = np.asarray(anomaly_map > level, np.uint8)
    if not above.any():
        return NO_REGIONS
    # Late: 0.3 s of processor time that good pictures do not need.
    import cv2

    height, width = above.shape
    above = _without_specks(above, SPECK * cell**2)
    gap = math.floor(max(CLOSE * cell, CLOSE_SHARE * max(height, width)))
    # A kernel of gap + 1 fills exactly gaps of that many pixels.
    joined = cv2.dilate(above, np.ones((gap + 1, gap + 1), np.uint8))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    smallest = max(SMALLEST * cell**2, SMALLEST_SHARE * height * width)
    found = []
    for number in range(1, count):
        left, top, wide, high = (int(value) for value in boxes[number][:4])
        part = (slice(top, top + high), slice(left, left + wide))
        mine = (labels[part] == number) & (above[part] > 0)
        if np.count_nonzero(mine) >= smallest:
            found.append(_region(mine, anomaly_map[part], (left, top), gap))
    found.sort(key=lambda region: (-region.peak, -region.area, region.top, region.left))
    found = found[:1] + [region for region in found[1:] if region.peak >= peak]
    return Regions(tuple(found[:MOST]), max(0, len(found) - MOST))


def _without_specks(above: np.ndarray, fewest: float) -> np.ndarray:
    """`above` without connected parts of fewer than `fewest` pixels."""
    import cv2

    _, labels, facts, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    large = facts[:, cv2.CC_STAT_AREA] >= fewest
    large[0] = False
    return large[labels].astype(np.uint8)


def _region(mine: np.ndarray, anomaly_map: np.ndarray, origin: Corner, gap: int) -> Region:
    """From its pixels (H, W) in a part of the picture that begins at `origin`."""
    rows, columns = np.flatnonzero(mine.any(1)), np.flatnonzero(mine.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    left, top = origin[0] + int(columns[0]), origin[1] + int(rows[0])
    height, width = mine[box].shape
    return Region(left, top, width, height, int(np.count_nonzero(mine)),
                  round(float(anomaly_map[mine].max()), 4),
                  tuple((x + left, y + top) for x, y in outline_of(mine[box], gap)))
