"""Bootstrap of pixel metrics from one small histogram an image, without the maps."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hdm.evaluation.arrays_on_disk import ArraysOnDisk
from hdm.evaluation.bootstrap import Weights, divide
from hdm.evaluation.pixels import LEVELS, parted, region_shares

BINS = 8192
_LEVELS_A_BIN = LEVELS // BINS
_BLOCK = 256  # images that are turned into one matrix


@dataclass(frozen=True)
class Resampled:
    """What PixelTally counts, for every resample: (R, 8192), and `regions` (R,)."""

    normal: NDArray[np.float64]
    defect: NDArray[np.float64]
    overlap: NDArray[np.float64]
    regions: NDArray[np.float64]

    def auroc(self) -> NDArray[np.float64]:
        """Pixel AUROC (R,); NaN where a class is missing."""
        won = (self.defect * (np.cumsum(self.normal, axis=1) - self.normal / 2)).sum(1)
        return divide(won, self.defect.sum(1) * self.normal.sum(1))

    def ap(self) -> NDArray[np.float64]:
        """Average precision over pixels (R,); NaN where a class is missing."""
        hits = np.cumsum(self.defect[:, ::-1], axis=1)
        called = hits + np.cumsum(self.normal[:, ::-1], axis=1)
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        area = (self.defect[:, ::-1] * precision).sum(1)
        return np.where(self.normal.any(axis=1), divide(area, hits[:, -1]), np.nan)

    def aupro(self, limit: float) -> NDArray[np.float64]:
        """AUPRO up to `limit` (R,); NaN where a class is missing."""
        values = np.full(len(self.regions), np.nan)
        for n, regions in enumerate(self.regions):
            if regions and self.normal[n].any():
                rate = np.cumsum(self.normal[n, ::-1]) / self.normal[n].sum()
                overlap = np.cumsum(self.overlap[n, ::-1]) / regions
                inside = rate <= limit
                x = np.concatenate([[0], rate[inside], [limit]])
                end = np.interp(limit, rate, overlap)
                y = np.concatenate([[0], overlap[inside], [end]])
                values[n] = np.trapezoid(y, x) / limit
        return values


@dataclass
class ImageHistograms:
    """A histogram of the anomaly map for each image, on disk.

    8,192 bins, 32 kB an image and class. The error this makes is far below any interval's width.
    images: positions in the test split, of `normal` in its order; regions: position of each image
    with a mask -> its defects, of `defect` and `overlap` in their order.
    """

    images: list[int] = field(default_factory=list)
    normal: ArraysOnDisk = field(default_factory=ArraysOnDisk)
    regions: dict[int, int] = field(default_factory=dict)
    defect: ArraysOnDisk = field(default_factory=ArraysOnDisk)
    overlap: ArraysOnDisk = field(default_factory=ArraysOnDisk)

    def add(self, image: int, levels: NDArray[np.uint16], mask: NDArray[np.bool_] | None,
            ignored: NDArray[np.bool_] | None = None) -> None:
        """Remember one image by its position in the test split; see `PixelTally.add`."""
        bins = levels // _LEVELS_A_BIN
        self.images.append(image)
        normal, mask = parted(bins, mask, ignored)
        self.normal.append(_count(normal))
        if mask is not None:
            shares, self.regions[image] = region_shares(mask)
            self.defect.append(_count(bins[mask]))
            self.overlap.append(np.bincount(bins[mask], shares, BINS).astype(np.float32))

    def resampled(self, weights: Weights, among: NDArray[np.bool_] | None = None) -> Resampled:
        """Counts of every resample; `among` (N,) restricts them to some images of the split."""
        used, masked = ([n for n, image in enumerate(images) if among is None or among[image]]
                        for images in (self.images, self.regions))
        there = list(self.regions)
        shown, defective = [self.images[n] for n in used], [there[n] for n in masked]
        return Resampled(
            normal=_mixed(weights, shown, self.normal, used),
            defect=_mixed(weights, defective, self.defect, masked),
            overlap=_mixed(weights, defective, self.overlap, masked),
            regions=weights[:, defective].astype(np.float64)
            @ np.array([self.regions[image] for image in defective], np.float64))


def _mixed(weights: Weights, images: list[int], histograms: ArraysOnDisk, numbers: list[int],
           ) -> NDArray[np.float64]:
    """Sum of the histograms of these numbers, each as often as its image was drawn: (R, BINS)."""
    total = np.zeros((len(weights), BINS))
    for start in range(0, len(images), _BLOCK):
        block = slice(start, start + _BLOCK)
        total += weights[:, images[block]] @ np.array([histograms[n] for n in numbers[block]],
                                                      dtype=np.float64)
    return total


def _count(bins: NDArray[np.uint16]) -> NDArray[np.int32]:
    return np.bincount(bins.ravel(), minlength=BINS).astype(np.int32)
