"""One pass over predictions: what the metrics, intervals and pictures need of each image."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.ignore_mask import ignored_pixels
from hdm.dataset.images import read_mask
from hdm.dataset.manifest import Manifest, Row
from hdm.errors import DataError, HDMError
from hdm.evaluation.arrays_on_disk import ArraysOnDisk
from hdm.evaluation.pixel_bootstrap import ImageHistograms
from hdm.evaluation.pixels import PixelTally, quantise, shares

THUMBNAIL_SIDE = 208
"""Longer side in px at which anomaly maps are kept for the pictures."""


class Predicted(Protocol):
    """What evaluation reads of a `hdm.Prediction`."""

    @property
    def score(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def probability(self) -> float: ...
    @property
    def decision(self) -> str: ...
    @property
    def reasons(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def threshold(self) -> float: ...
    @property
    def anomaly_map(self) -> NDArray: ...


class Collected:
    """What is kept of the predictions: constant memory for pixels, a little for each image.

    held_out: scores of the images on which the threshold was set, empty where not known. ignored:
    the ignore mask, as text, of pixels that are not counted.
    """

    def __init__(self, held_out: Sequence[float] = (), ignored: str = "") -> None:
        self.held_out, self.ignored = tuple(held_out), ignored
        self.rows: list[dict[str, object]] = []
        self.tallies: dict[str, PixelTally] = {}
        self.histograms = ImageHistograms()
        self.thumbnails = ArraysOnDisk()
        self.threshold = 0.0
        self.without_mask = 0

    @classmethod
    def of(cls, manifest: Manifest, predictions: Iterable[Predicted],
           held_out: Sequence[float] = (), ignored: str = "") -> "Collected":
        """All of a test split, in the manifest's order; raises HDMError for an empty one."""
        if not len(manifest):
            raise HDMError("expected a test split with images, found none; add test images to the "
                           "source or raise ingest.test_fraction.")
        seen = cls(held_out, ignored)
        for row, prediction in zip(manifest, predictions, strict=True):
            seen.add(manifest, row, prediction)
        return seen

    def add(self, manifest: Manifest, row: Row, prediction: Predicted) -> None:
        """Take in one image; raises HDMError or DataError as `evaluate` does."""
        if not np.isfinite(prediction.score):
            raise HDMError(f"{row.path}: expected a finite image score, received "
                           f"{prediction.score}; train the detector again.")
        levels = quantise(prediction.anomaly_map)
        self.threshold = float(prediction.threshold)
        self.thumbnails.append(thumbnail(levels))
        self.rows.append({
            "path": row.path, "label": row.label, "defect_type": row.defect_type,
            "group": row.group, "score": float(prediction.score),
            "p_value": float(prediction.p_value), "probability": float(prediction.probability),
            "decision": prediction.decision,
            "reasons": ", ".join(code for code, _ in prediction.reasons)})
        mask = _mask(manifest, row, levels.shape)
        if row.label and mask is None:
            self.without_mask += 1
            return
        ignored = ignored_pixels(self.ignored, *levels.shape)
        self.tallies.setdefault(row.defect_type, PixelTally()).add(levels, mask, ignored)
        self.histograms.add(len(self.rows) - 1, levels, mask, ignored)


def _mask(manifest: Manifest, row: Row, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Ground truth of a defective image; None if it has none, or one that marks nothing."""
    file = manifest.mask_file(row) if row.label else None
    if file is None:
        return None
    mask = read_mask(file)
    if mask.shape != shape:
        raise DataError(f"{row.mask_path}: expected a mask of {shape[1]}x{shape[0]} px like its "
                        f"image {row.path}, found {mask.shape[1]}x{mask.shape[0]}; draw it again.")
    return mask if mask.any() else None


def thumbnail(levels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Levels as anomaly 0..255, averaged down to 208 px on the longer side (never enlarged)."""
    picture = Image.fromarray(shares(levels).astype(np.float32))
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX, reducing_gap=None)
    return np.rint(np.asarray(picture) * 255).clip(0, 255).astype(np.uint8)
