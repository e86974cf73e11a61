"""Where on an image the anomaly is: connected regions of its anomaly map."""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage

MOST = 50
"""Regions that are told of one image, the strongest first."""
_WHOLE_NEIGHBOURHOOD = np.ones((3, 3), bool)


class Region(NamedTuple):
    """Pixels from (left, top); width and height of the bounding box; area in pixels; peak of the
    anomaly map in [0, 1]."""

    left: int
    top: int
    width: int
    height: int
    area: int
    peak: float


def level_of(threshold: float, pixel: tuple[float, float]) -> float:
    """The value of an anomaly map where the evidence is at the threshold of image scores.

    A score is that of the oddest window and what is odd about the whole, 0 for the mean good image.
    So an image that is called a defect has a region at this level, unless the whole tipped the
    balance, or a large window of which no part is plain. pixel: (slope, bias) of
    `Calibration.pixel`.
    """
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, pixel[0] * threshold + pixel[1]))))


def find_regions(anomaly_map: np.ndarray, level: float) -> list[Region]:
    """Regions of (H, W) above `level`, pixels touching by side or corner, by falling peak."""
    labels, count = ndimage.label(anomaly_map > level, _WHOLE_NEIGHBOURHOOD)
    if not count:
        return []
    numbers = np.arange(1, count + 1)
    peaks = ndimage.maximum(anomaly_map, labels, numbers)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(labels)
    order = np.lexsort((-areas, -np.asarray(peaks)))[:MOST]
    found = []
    for n in order:
        rows, columns = boxes[n]
        found.append(Region(columns.start, rows.start, columns.stop - columns.start,
                            rows.stop - rows.start, int(areas[n]), round(float(peaks[n]), 4)))
    return found
