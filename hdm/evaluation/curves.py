"""Curves as tidy tables: at most 200 points each, ready for CSV, DVC plots and the report.

Thresholds follow the detector's rule: an image is a defect where score > threshold.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hdm.evaluation.pixels import LEVELS, PixelTally, falling_share, pro_curve, shares

POINTS = 200
HISTOGRAM_BINS = 40
ROC = ["false_positive_rate", "true_positive_rate", "threshold"]
PR = ["recall", "precision", "threshold"]
PRO = ["false_positive_rate", "region_overlap"]
HISTOGRAM = ["score", "low", "high", "label", "images"]


def image_roc(labels: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """ROC points of image scores; no rows if a class is missing."""
    defect, good, threshold = _image_counts(labels, scores)
    if not defect[-1] or not good[-1]:
        return pd.DataFrame(columns=ROC, dtype=float)
    return thin(pd.DataFrame(dict(zip(ROC, (good / good[-1], defect / defect[-1], threshold),
                                      strict=True))))


def image_pr(labels: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """Precision-recall points of image scores; no rows if a class is missing."""
    defect, good, threshold = _image_counts(labels, scores)
    return _pr(defect, good, threshold)


def pixel_roc(tally: PixelTally) -> pd.DataFrame:
    """ROC points over all counted pixels; no rows where undefined."""
    if tally.undefined:
        return pd.DataFrame(columns=ROC, dtype=float)
    threshold = _pixel_thresholds()
    return thin(pd.DataFrame(dict(zip(
        ROC, (falling_share(tally.normal), falling_share(tally.defect), threshold),
        strict=True))))


def pixel_pr(tally: PixelTally) -> pd.DataFrame:
    """Precision-recall points over all counted pixels; no rows where undefined."""
    if tally.undefined:
        return pd.DataFrame(columns=PR, dtype=float)
    threshold = _pixel_thresholds()
    return _pr(_falling_count(tally.defect), _falling_count(tally.normal), threshold)


def pixel_pro(tally: PixelTally, limit: float) -> pd.DataFrame:
    """Mean per-region overlap against false-positive rate up to `limit`; no rows if undefined."""
    if tally.undefined:
        return pd.DataFrame(columns=PRO, dtype=float)
    return thin(pd.DataFrame(dict(zip(PRO, pro_curve(tally, limit), strict=True))))


def score_histogram(labels: ArrayLike, scores: ArrayLike) -> pd.DataFrame:
    """How many good and defective images have a score in each of 40 bins of equal width.

    `score` is the middle of the bin. The bins span all scores of the test split.
    """
    truth, values = np.asarray(labels, dtype=bool), np.asarray(scores, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, HISTOGRAM_BINS + 1)
    tables = []
    for name, chosen in (("good", ~truth), ("defect", truth)):
        images = np.histogram(values[chosen], edges)[0]
        tables.append(pd.DataFrame({"score": (edges[:-1] + edges[1:]) / 2, "low": edges[:-1],
                                    "high": edges[1:], "label": name, "images": images}))
    return pd.concat(tables, ignore_index=True)[HISTOGRAM]


def thin(curve: pd.DataFrame, points: int = POINTS) -> pd.DataFrame:
    """At most `points` rows of `curve`, evenly spread along its drawn length, both ends kept."""
    steps = curve.iloc[:, :2].diff().abs().sum(axis=1).to_numpy()
    corners = curve[np.append(True, steps[1:] > 0)].reset_index(drop=True)
    if len(corners) <= points:
        return corners
    along = np.cumsum(corners.iloc[:, :2].diff().abs().sum(axis=1).to_numpy())
    chosen = np.unique(np.searchsorted(along, np.linspace(0, along[-1], points)))
    chosen = np.clip(chosen, 0, len(corners) - 1)
    chosen[0], chosen[-1] = 0, len(corners) - 1
    return corners.iloc[chosen].reset_index(drop=True)


def _image_counts(labels: ArrayLike, scores: ArrayLike,
                  ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Defective and good images above each threshold: every distinct score, then just below all."""
    truth, values = np.asarray(labels, dtype=bool), np.asarray(scores, dtype=np.float64)
    distinct, place = np.unique(-values, return_inverse=True)
    defect = np.bincount(place[truth], minlength=len(distinct))
    good = np.bincount(place[~truth], minlength=len(distinct))
    threshold = np.append(-distinct, np.nextafter(values.min(), -np.inf))
    return (np.append(0, np.cumsum(defect)), np.append(0, np.cumsum(good)), threshold)


def _pixel_thresholds() -> NDArray[np.float64]:
    """Values of the map above which 0, 1, ... of the highest levels lie; below 0 for all."""
    return np.append(shares(np.arange(LEVELS)[::-1]), -1.0)


def _pr(defect: NDArray, good: NDArray, threshold: NDArray) -> pd.DataFrame:
    if not defect[-1] or not good[-1]:
        return pd.DataFrame(columns=PR, dtype=float)
    called = defect + good
    precision = np.divide(defect, called, out=np.ones(len(called)), where=called > 0)
    return thin(pd.DataFrame(dict(zip(PR, (defect / defect[-1], precision, threshold),
                                      strict=True))))


def _falling_count(histogram: NDArray) -> NDArray:
    return np.concatenate([[0], np.cumsum(histogram[::-1])])
