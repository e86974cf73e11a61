"""All figures of one detector on one test split, in one pass over its predictions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from hdm.config import Params
from hdm.dataset.images import read_mask
from hdm.dataset.manifest import GOOD, Manifest, Row
from hdm.errors import DataError, HDMError
from hdm.evaluation import bootstrap, curves
from hdm.evaluation.bootstrap import Interval, Weights
from hdm.evaluation.metrics import Confusion, Measure, image_ap, image_auroc
from hdm.evaluation.pixel_bootstrap import ImageHistograms
from hdm.evaluation.pixels import (
    PixelTally,
    aupro,
    pixel_ap,
    pixel_auroc,
    quantise,
    shares,
)

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
    def threshold(self) -> float: ...
    @property
    def anomaly_map(self) -> NDArray: ...


@dataclass(frozen=True)
class Evaluation:
    """The result. Fractions lie in [0, 1]; an undefined value is None, never NaN.

    metrics: flat, in the order of reading; `undefined` has a reason for each None.
    intervals: of some of the metrics. by_type, scores: one row a defect type, one an image.
    curves: tables by file stem. thumbnails: anomaly maps as 0..255, in the order of `scores`.
    """

    metrics: dict[str, float | int | None]
    undefined: dict[str, str]
    intervals: dict[str, Interval]
    confusion: Confusion
    by_type: pd.DataFrame
    scores: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    thumbnails: tuple[NDArray[np.uint8], ...]


def evaluate(manifest: Manifest, predictions: Iterable[Predicted], settings: Params) -> Evaluation:
    """Measure `predictions`, which come in the manifest's order and are not kept.

    `settings.evaluate` and `settings.seed` are used. Defective images without a mask, or with an
    empty one, take no part in pixel metrics. Raises HDMError for an empty split or for scores or
    maps that are not numbers, DataError for a mask of another size than its image.
    """
    if not len(manifest):
        raise HDMError("expected a test split with images, found none; add test images to the "
                       "source or raise ingest.test_fraction.")
    seen = _Seen()
    for row, prediction in zip(manifest, predictions, strict=True):
        seen.add(manifest, row, prediction)
    return _measured(seen, settings)


class _Seen:
    """What is kept of the predictions: constant memory for pixels, a little for each image."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.tallies: dict[str, PixelTally] = {}
        self.histograms = ImageHistograms()
        self.thumbnails: list[NDArray[np.uint8]] = []
        self.threshold = 0.0
        self.without_mask = 0

    def add(self, manifest: Manifest, row: Row, prediction: Predicted) -> None:
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
            "decision": prediction.decision})
        mask = _mask(manifest, row, levels.shape)
        if row.label and mask is None:
            self.without_mask += 1
            return
        self.tallies.setdefault(row.defect_type, PixelTally()).add(levels, mask)
        self.histograms.add(len(self.rows) - 1, levels, mask)


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


def _measured(seen: _Seen, settings: Params) -> Evaluation:
    scores = pd.DataFrame(seen.rows)
    truth = scores["label"].to_numpy(dtype=bool)
    score = scores["score"].to_numpy(dtype=np.float64)
    called = (scores["decision"] == "defect").to_numpy()
    confusion = Confusion.of(truth, called)
    tally = sum(seen.tallies.values(), PixelTally())
    limit = settings.evaluate.aupro_limit
    measures = {
        "image_auroc": image_auroc(truth, score), "pixel_auroc": pixel_auroc(tally),
        "image_ap": image_ap(truth, score), "pixel_ap": pixel_ap(tally),
        "aupro": aupro(tally, limit), "image_f1": confusion.f1,
        "recall": confusion.recall, "precision": confusion.precision,
        "false_alarm_rate": confusion.false_alarm_rate,
    }
    counts: dict[str, float | int] = {
        "threshold": seen.threshold, "aupro_limit": limit, "images": len(scores),
        "good": confusion.good, "defects": confusion.defects,
        "true_positives": confusion.true_positives, "false_negatives": confusion.false_negatives,
        "false_positives": confusion.false_positives, "true_negatives": confusion.true_negatives,
        "defects_without_mask": seen.without_mask, "defect_regions": tally.regions,
    }
    weights = bootstrap.group_weights(list(scores["group"]), settings.evaluate.bootstrap,
                                      settings.seed)
    return Evaluation(
        metrics={name: measure.value for name, measure in measures.items()} | counts,
        undefined={name: m.reason for name, m in measures.items() if m.value is None},
        intervals=_intervals(seen, measures, weights, scores, settings),
        confusion=confusion, by_type=_by_type(seen, weights, scores, settings), scores=scores,
        curves={
            "roc": curves.image_roc(truth, score), "pr": curves.image_pr(truth, score),
            "pixel_roc": curves.pixel_roc(tally), "pixel_pr": curves.pixel_pr(tally),
            "pro": curves.pixel_pro(tally, limit),
            "histogram": curves.score_histogram(truth, score)},
        thumbnails=tuple(seen.thumbnails))


def _intervals(seen: _Seen, measures: dict[str, Measure], weights: Weights, scores: pd.DataFrame,
               settings: Params) -> dict[str, Interval]:
    """Intervals of the metrics; an undefined metric hands its reason on."""
    truth = scores["label"].to_numpy(dtype=bool)
    score = scores["score"].to_numpy(dtype=np.float64)
    called = (scores["decision"] == "defect").to_numpy()
    samples = bootstrap.decision_samples(weights, truth, called)
    if measures["image_auroc"].value is not None:
        samples["image_auroc"] = bootstrap.auroc_samples(weights, truth, score)
        samples["image_ap"] = bootstrap.ap_samples(weights, truth, score)
    if measures["pixel_auroc"].value is not None:
        pixels = seen.histograms.resampled(weights)
        samples |= {"pixel_auroc": pixels.auroc(), "pixel_ap": pixels.ap(),
                    "aupro": pixels.aupro(settings.evaluate.aupro_limit)}
    groups, coverage = scores["group"].nunique(), settings.evaluate.interval
    return {name: Interval(None, None, measure.reason) if measure.value is None
            else bootstrap.interval(samples[name], coverage, groups)
            for name, measure in measures.items() if name != "precision"}


def _by_type(seen: _Seen, weights: Weights, scores: pd.DataFrame, settings: Params) -> pd.DataFrame:
    """One row a defect type: its images against all good ones."""
    rows = []
    nothing = PixelTally()
    for name in sorted(set(scores["defect_type"]) - {GOOD}):
        among = scores["defect_type"].isin((GOOD, name)).to_numpy()
        chosen = scores[among]
        truth = chosen["label"].to_numpy(dtype=bool)
        score = chosen["score"].to_numpy(dtype=np.float64)
        tally = seen.tallies.get(name, nothing) + seen.tallies.get(GOOD, nothing)
        image, pixel = image_auroc(truth, score), pixel_auroc(tally)
        groups, coverage = chosen["group"].nunique(), settings.evaluate.interval
        unknown = Interval(None, None)
        image_range = unknown if image.value is None else bootstrap.interval(
            bootstrap.auroc_samples(weights[:, among], truth, score), coverage, groups)
        pixel_range = unknown if pixel.value is None else bootstrap.interval(
            seen.histograms.resampled(weights, among).auroc(), coverage, groups)
        rows.append({
            "defect_type": name, "images": int(truth.sum()),
            "masks": seen.tallies.get(name, nothing).images,
            "recall": float((chosen["decision"][truth] == "defect").mean()),
            "image_auroc": image.value, "image_auroc_low": image_range.low,
            "image_auroc_high": image_range.high,
            "pixel_auroc": pixel.value, "pixel_auroc_low": pixel_range.low,
            "pixel_auroc_high": pixel_range.high,
            "aupro": aupro(tally, settings.evaluate.aupro_limit).value})
    return pd.DataFrame(rows, columns=BY_TYPE)


BY_TYPE = ["defect_type", "images", "masks", "recall", "image_auroc", "image_auroc_low",
           "image_auroc_high", "pixel_auroc", "pixel_auroc_low", "pixel_auroc_high", "aupro"]
