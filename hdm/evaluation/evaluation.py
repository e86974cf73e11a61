"""All figures of one detector on one test split, in one pass over its predictions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hdm.dataset.manifest import GOOD, Manifest
from hdm.evaluation import bootstrap, curves
from hdm.evaluation.bootstrap import Interval, Weights
from hdm.evaluation.collected import Collected, Predicted
from hdm.evaluation.detection import Detection, Stopped
from hdm.evaluation.metrics import (
    NO_DEFECTS,
    NO_GOOD,
    Confusion,
    Measure,
    image_ap,
    image_auroc,
)
from hdm.evaluation.pixels import PixelTally, aupro, pixel_ap, pixel_auroc
from hdm.evaluation.stopped_parts import PASSED, UNDECIDABLE, count_stopped
from hdm.settings import Params


@dataclass(frozen=True)
class Evaluation:
    """The result. Fractions lie in [0, 1]; an undefined value is None, never NaN.

    A picture is *stopped* if it is called a defect or undecidable. metrics: flat, in the order of
    reading; `undefined` has a reason for each None. intervals: of some of the metrics. confusion,
    precision and F1 count images; recall and false alarms count parts (`detection`),
    `image_recall` and the like are of images. by_type, scores: one row a defect type, one an image.
    curves: tables by file stem. thumbnails: anomaly maps as 0..255, in the order of `scores`.
    """

    metrics: dict[str, float | int | None]
    undefined: dict[str, str]
    intervals: dict[str, Interval]
    confusion: Confusion
    detection: Detection
    by_type: pd.DataFrame
    scores: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    thumbnails: Sequence[NDArray[np.uint8]]

    @property
    def threshold(self) -> float:
        """Scores above it are called defects."""
        return float(self.metrics["threshold"] or 0.0)

    @property
    def aupro_limit(self) -> float:
        """False-positive rate that AUPRO goes to."""
        return float(self.metrics["aupro_limit"] or 0.0)


def evaluate(manifest: Manifest, predictions: Iterable[Predicted], settings: Params,
             ignored: str = "") -> Evaluation:
    """Measure `predictions`, which come in the manifest's order and are not kept.

    `settings.evaluate` and `settings.seed` are used. Defective images without a mask, or with an
    empty one, take no part in pixel metrics, nor do pixels of the ignore mask, which is given as
    text. Raises HDMError for an empty split or for scores or
    maps that are not numbers, DataError for a mask of another size than its image.
    """
    return measure(Collected.of(manifest, predictions, ignored=ignored), settings)


def measure(seen: Collected, settings: Params) -> Evaluation:
    """All figures of what was collected; see `evaluate`."""
    scores = pd.DataFrame(seen.rows)
    truth = scores["label"].to_numpy(dtype=bool)
    score = scores["score"].to_numpy(dtype=np.float64)
    confusion = Confusion.of(truth, (scores["decision"] != PASSED).to_numpy())
    detection = count_stopped(seen.rows, settings.evaluate.interval)
    undecidable = (scores["decision"] == UNDECIDABLE).to_numpy()
    tally = sum(seen.tallies.values(), PixelTally())
    limit = settings.evaluate.aupro_limit
    measures = {
        "image_auroc": image_auroc(truth, score), "pixel_auroc": pixel_auroc(tally),
        "image_ap": image_ap(truth, score), "pixel_ap": pixel_ap(tally),
        "aupro": aupro(tally, limit), "image_f1": confusion.f1,
        "recall": _of_parts(detection.defects.share, NO_DEFECTS),
        "precision": confusion.precision,
        "false_alarm_rate": _of_parts(
            detection.good.share, NO_GOOD_PART if confusion.good else NO_GOOD),
        "image_recall": confusion.recall, "image_false_alarm_rate": confusion.false_alarm_rate,
    }
    counts: dict[str, float | int | None] = {
        "threshold": seen.threshold, "aupro_limit": limit, "images": len(scores),
        "good": confusion.good, "defects": confusion.defects,
        "true_positives": confusion.true_positives, "false_negatives": confusion.false_negatives,
        "false_positives": confusion.false_positives, "true_negatives": confusion.true_negatives,
        "undecidable_good": int((undecidable & ~truth).sum()),
        "undecidable_defects": int((undecidable & truth).sum()),
        "defects_without_mask": seen.without_mask, "defect_regions": tally.regions,
    }
    weights = bootstrap.group_weights(list(scores["group"]), settings.evaluate.bootstrap,
                                      settings.seed)
    return Evaluation(
        metrics={**{name: measure.value for name, measure in measures.items()}, **counts,
                 **detection.metrics()},
        undefined={name: m.reason for name, m in measures.items() if m.value is None},
        intervals=_intervals(seen, measures, weights, scores, settings) | {
            "recall": _exact(detection.defects, measures["recall"]),
            "false_alarm_rate": _exact(detection.good, measures["false_alarm_rate"])},
        confusion=confusion, detection=detection,
        by_type=_by_type(seen, weights, scores, detection, settings), scores=scores,
        curves={
            "roc": curves.image_roc(truth, score), "pr": curves.image_pr(truth, score),
            "pixel_roc": curves.pixel_roc(tally), "pixel_pr": curves.pixel_pr(tally),
            "pro": curves.pixel_pro(tally, limit),
            "histogram": curves.score_histogram(truth, score)},
        thumbnails=seen.thumbnails)


NO_GOOD_PART = "every part of the test split has a defective picture"
_WITHOUT_BOOTSTRAP = {"precision", "recall", "false_alarm_rate"}


def _of_parts(share: float | None, reason: str) -> Measure:
    return Measure.undefined(reason) if share is None else Measure(share)


def _exact(kind: Stopped, measure: Measure) -> Interval:
    """The interval of a share of parts, which needs no resampling."""
    return Interval(kind.low, kind.high, measure.reason)


def _intervals(seen: Collected, measures: dict[str, Measure], weights: Weights,
               scores: pd.DataFrame, settings: Params) -> dict[str, Interval]:
    """Bootstrap intervals; an undefined metric hands its reason on."""
    truth = scores["label"].to_numpy(dtype=bool)
    score = scores["score"].to_numpy(dtype=np.float64)
    called = (scores["decision"] != PASSED).to_numpy()
    decided = bootstrap.decision_samples(weights, truth, called)
    samples = {"image_f1": decided["image_f1"], "image_recall": decided["recall"],
               "image_false_alarm_rate": decided["false_alarm_rate"]}
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
            for name, measure in measures.items() if name not in _WITHOUT_BOOTSTRAP}


def _by_type(seen: Collected, weights: Weights, scores: pd.DataFrame, detection: Detection,
             settings: Params) -> pd.DataFrame:
    """One row a defect type: its images against all good ones, and how many parts are stopped."""
    rows = []
    nothing = PixelTally()
    for kind in detection.types:
        name = kind.kind
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
            "defect_type": name, "parts": kind.parts, "stopped": kind.parts_stopped,
            "undecidable": kind.parts_undecidable, "recall": kind.share,
            "recall_low": kind.low, "recall_high": kind.high, "images": kind.images,
            "images_stopped": kind.images_stopped,
            "masks": seen.tallies.get(name, nothing).images,
            "image_auroc": image.value, "image_auroc_low": image_range.low,
            "image_auroc_high": image_range.high,
            "pixel_auroc": pixel.value, "pixel_auroc_low": pixel_range.low,
            "pixel_auroc_high": pixel_range.high,
            "aupro": aupro(tally, settings.evaluate.aupro_limit).value})
    return pd.DataFrame(rows, columns=BY_TYPE)


BY_TYPE = ["defect_type", "parts", "stopped", "undecidable", "recall", "recall_low", "recall_high",
           "images", "images_stopped", "masks", "image_auroc", "image_auroc_low",
           "image_auroc_high", "pixel_auroc", "pixel_auroc_low", "pixel_auroc_high", "aupro"]
