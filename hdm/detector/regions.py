"""Where on a picture the defects are: one region a defect, read from the anomaly map."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from hdm.detector.region_outline import Corner, outline_of

Box = tuple[slice, slice]
"""Rows and columns."""
MOST = 10
"""Regions that are told of one picture, the strongest first."""
CLOSE, CLOSE_SHARE = 3, 0.02
"""Parts of one defect are at most so many cells of the map apart, or that share of the picture's
longer side: a crack that fades and comes back is one crack."""
SPECK = 2
"""Cells of the map, in area: what is smaller is noise, also where much of it lies together."""
SMALLEST, SMALLEST_SHARE = 4, 1e-4
"""A region has at least the area of so many cells of the map, and that share of the picture."""
LIKELY = 0.5
"""The map is the probability of a pixel to be part of a defect: more likely than not."""
SURE = 0.999
"""Evidence beyond that makes nothing surer, and must not hide a second defect."""


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
    """told: by falling peak, at most MOST. more: how many there are besides. level: of the anomaly
    map, above which they are; None where none were looked for."""

    told: tuple[Region, ...] = ()
    more: int = 0
    level: float | None = None


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

    def regions(self, decision: str, anomaly_map: np.ndarray, level: float | None = None,
                ignored: np.ndarray | None = None) -> Regions:
        """Those of a picture with that decision; a good one has none, unless a `level` is asked
        for, above which all is told as it is.

        anomaly_map: (H, W) in [0, 1] at the picture's size. ignored: (H, W) bool, of which nothing
        is in a region; None where all is inspected.
        """
        cell = self.cell(*anomaly_map.shape[:2])
        if level is not None:
            return find_regions(anomaly_map, level, cell, ignored)
        if decision == "good":
            return NO_REGIONS
        for base in (max(self.level, LIKELY), self.level):
            strongest = find_regions(anomaly_map, base, cell, ignored).told[:1]
            if strongest:
                found = find_regions(anomaly_map, half_way(base, strongest[0].peak), cell, ignored)
                return found if found.told else Regions(strongest, level=base)
        return Regions(level=self.level)


def level_of(threshold: float, pixel: tuple[float, float]) -> float:
    """The value of an anomaly map where the evidence is at the threshold of image scores.

    A score is that of the oddest window and what is odd about the whole, 0 for the mean good image.
    So an image that is called a defect has a region at this level, unless the whole tipped the
    balance, or a large window of which no part is plain. pixel: (slope, bias) of
    `Calibration.pixel`.
    """
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, pixel[0] * threshold + pixel[1]))))


def half_way(level: float, peak: float) -> float:
    """The level up to which a defect with that peak reaches: half of its evidence above `level`.

    Networks look around themselves, so that evidence fades out beside a defect. On the sample lines
    outlines meet the masks twice as well as at `level` itself, and what is no defect drops out.
    """
    low, high = (math.log(value / (1 - value)) for value in (
        min(max(level, 1 - SURE), SURE), min(max(peak, 1 - SURE), SURE)))
    return max(level, 1 / (1 + math.exp(-(low + high) / 2)))


def find_regions(anomaly_map: np.ndarray, level: float, cell: float = 1.0,
                 ignored: np.ndarray | None = None) -> Regions:
    """Regions of (H, W) above `level`; pixels touch by side or corner.

    cell: sides of the map's smallest detail, in its pixels. ignored: (H, W) bool, over which
    nothing is joined.
    """
    found = [_region(mine, anomaly_map[part], part, _gap(anomaly_map, cell))
             for part, mine in _parts(anomaly_map, level, cell, ignored)]
    found.sort(key=lambda region: (-region.peak, -region.area, region.top, region.left))
    return Regions(tuple(found[:MOST]), max(0, len(found) - MOST), level)


def _parts(anomaly_map: np.ndarray, level: float, cell: float, ignored: np.ndarray | None
           ) -> Iterator[tuple[Box, np.ndarray]]:
    """What is above the level and belongs together: a box of the map, and its pixels there."""
    inspected = np.ones_like(anomaly_map, bool) if ignored is None else ~ignored
    above = np.asarray((anomaly_map > level) & inspected, np.uint8)
    if not above.any():
        return
    # Late: 0.3 s of processor time that good pictures do not need.
    import cv2

    _, labels, facts, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    large = facts[:, cv2.CC_STAT_AREA] >= SPECK * cell**2
    large[0] = False
    above = large[labels].astype(np.uint8)
    # A kernel of gap + 1 fills exactly gaps of that many pixels.
    joined = cv2.dilate(above, np.ones((_gap(anomaly_map, cell) + 1,) * 2, np.uint8))
    joined *= inspected
    count, labels, facts, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for number in range(1, count):
        left, top, width, height = (int(value) for value in facts[number][:4])
        part = (slice(top, top + height), slice(left, left + width))
        mine = (labels[part] == number) & (above[part] > 0)
        if np.count_nonzero(mine) >= _smallest(anomaly_map, cell):
            yield part, mine


def _gap(anomaly_map: np.ndarray, cell: float) -> int:
    return math.floor(max(CLOSE * cell, CLOSE_SHARE * max(anomaly_map.shape)))


def _smallest(anomaly_map: np.ndarray, cell: float) -> float:
    return max(SMALLEST * cell**2, SMALLEST_SHARE * anomaly_map.size)


def _region(mine: np.ndarray, anomaly_map: np.ndarray, part: Box, gap: int) -> Region:
    """From its pixels (H, W) in a box of the picture."""
    rows, columns = np.flatnonzero(mine.any(1)), np.flatnonzero(mine.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    top, left = part[0].start + int(rows[0]), part[1].start + int(columns[0])
    height, width = mine[box].shape
    return Region(left, top, width, height, int(np.count_nonzero(mine)),
                  round(float(anomaly_map[mine].max()), 4),
                  tuple((x + left, y + top) for x, y in outline_of(mine[box], gap)))
