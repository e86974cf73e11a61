"""Pixel-level quality from histograms: image by image, in constant memory.

Anomaly maps are rounded to 65,536 levels, even in log odds: a map is most often close to 0, and
there even steps of the value itself would tie pixels that the detector tells apart. Everything that
ranks pixels is then a function of how many pixels of each class have each level, and exact for the
rounded maps.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from hdm.errors import HDMError
from hdm.evaluation.metrics import Measure

LEVELS = 65_536
NO_MASKS = "no defective test image has a mask"
NO_NORMAL = "no test pixel is normal"
_LOWEST, _HIGHEST = -30.0, 17.0  # log odds; float32 knows nothing between the upper end and 1
_STEPS = (LEVELS - 1) / (_HIGHEST - _LOWEST)
_TOUCHING = np.ones((3, 3), dtype=int)


def quantise(anomaly_map: NDArray[Any]) -> NDArray[np.uint16]:
    """An anomaly map in [0, 1] as levels 0..65535; levels pass through unchanged.

    Raises HDMError if a value is not a number or outside [0, 1].
    """
    if anomaly_map.dtype == np.uint16:
        return anomaly_map
    if not (anomaly_map.min() >= 0 and anomaly_map.max() <= 1):  # also false for NaN
        raise HDMError("expected an anomaly map with values in [0, 1], received values from "
                       f"{anomaly_map.min()} to {anomaly_map.max()}; train the detector again.")
    share = anomaly_map.astype(np.float32, copy=False)
    with np.errstate(divide="ignore"):
        odds = np.log(share) - np.log1p(-share)
    return np.rint((odds.clip(_LOWEST, _HIGHEST) - _LOWEST) * _STEPS).astype(np.uint16)


def shares(levels: NDArray) -> NDArray[np.float64]:
    """The value in [0, 1] that each level stands for; off by at most 0.0001 from what was there."""
    return expit(_LOWEST + np.asarray(levels, dtype=np.float64) / _STEPS)


def _no_pixels() -> NDArray[np.int64]:
    return np.zeros(LEVELS, dtype=np.int64)


def _no_shares() -> NDArray[np.float64]:
    return np.zeros(LEVELS, dtype=np.float64)


@dataclass
class PixelTally:
    """Pixels of each level: `normal`, `defect`, and `overlap`, the per-region shares.

    Each connected region (8 neighbours) of a mask adds 1 to the sum of `overlap`, spread over the
    levels of its pixels, so that small and large regions count alike.
    """

    normal: NDArray[np.int64] = field(default_factory=_no_pixels)
    defect: NDArray[np.int64] = field(default_factory=_no_pixels)
    overlap: NDArray[np.float64] = field(default_factory=_no_shares)
    regions: int = 0
    images: int = 0

    def add(self, levels: NDArray[np.uint16], mask: NDArray[np.bool_] | None,
            ignored: NDArray[np.bool_] | None = None) -> None:
        """Count one image; `mask` None means that every pixel is normal, `ignored` ones are not
        counted. All are (H, W)."""
        self.images += 1
        normal, mask = parted(levels, mask, ignored)
        self.normal += np.bincount(normal, minlength=LEVELS)
        if mask is None:
            return
        inside = levels[mask]
        self.defect += np.bincount(inside, minlength=LEVELS)
        part, count = region_shares(mask)
        self.overlap += np.bincount(inside, weights=part, minlength=LEVELS)
        self.regions += count

    def __add__(self, other: "PixelTally") -> "PixelTally":
        return PixelTally(self.normal + other.normal, self.defect + other.defect,
                          self.overlap + other.overlap, self.regions + other.regions,
                          self.images + other.images)

    @property
    def undefined(self) -> str:
        """Why these pixels cannot be ranked; empty if they can."""
        if not self.regions:
            return NO_MASKS
        return "" if self.normal.any() else NO_NORMAL


def parted(levels: NDArray[np.uint16], mask: NDArray[np.bool_] | None,
           ignored: NDArray[np.bool_] | None) -> tuple[NDArray[np.uint16],
                                                       NDArray[np.bool_] | None]:
    """Levels of normal pixels that are inspected, flat, and what of the mask is."""
    if ignored is None:
        return (levels.ravel() if mask is None else levels[~mask]), mask
    return (levels[~ignored] if mask is None else levels[~(mask | ignored)]), \
        (None if mask is None else mask & ~ignored)


def region_shares(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], int]:
    """For each marked pixel of (H, W), 1 / size of its region; and the number of regions."""
    label, count = ndimage.label(mask, structure=_TOUCHING)
    region = label[mask]
    return 1 / np.bincount(region, minlength=count + 1)[region], int(count)


def pixel_auroc(tally: PixelTally) -> Measure:
    """Area under the ROC curve over all counted pixels."""
    return _ranking(roc_auc_score, tally)


def pixel_ap(tally: PixelTally) -> Measure:
    """Average precision over all counted pixels."""
    return _ranking(average_precision_score, tally)


def _ranking(metric: Callable[..., float], tally: PixelTally) -> Measure:
    if tally.undefined:
        return Measure.undefined(tally.undefined)
    truth = np.repeat([0, 1], LEVELS)
    level = np.tile(np.arange(LEVELS), 2)
    pixels = np.concatenate([tally.normal, tally.defect])
    there = pixels > 0
    return Measure(float(metric(truth[there], level[there], sample_weight=pixels[there])))


def aupro(tally: PixelTally, limit: float) -> Measure:
    """Area under per-region overlap against false-positive rate up to `limit`, divided by `limit`.

    1 is perfect; a map that knows nothing gets `limit` / 2.
    """
    if tally.undefined:
        return Measure.undefined(tally.undefined)
    rate, overlap = pro_curve(tally, limit)
    return Measure(float(np.trapezoid(overlap, rate)) / limit)


def pro_curve(tally: PixelTally, limit: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False-positive rates 0..`limit` and mean per-region overlaps at falling thresholds.

    The last point lies on the straight line between the two thresholds around `limit`.
    """
    rate = falling_share(tally.normal)
    overlap = falling_share(tally.overlap)
    inside = int(np.searchsorted(rate, limit, side="right"))  # >= 1, as rate[0] is 0
    if inside == len(rate) or rate[inside - 1] == limit:
        return rate[:inside], overlap[:inside]
    step = (limit - rate[inside - 1]) / (rate[inside] - rate[inside - 1])
    end = overlap[inside - 1] + step * (overlap[inside] - overlap[inside - 1])
    return np.append(rate[:inside], limit), np.append(overlap[:inside], end)


def falling_share(histogram: NDArray) -> NDArray[np.float64]:
    """Share of `histogram` at or above each level, from the highest level down; starts at 0."""
    above = np.concatenate([[0], np.cumsum(histogram[::-1])])
    return above / above[-1]
