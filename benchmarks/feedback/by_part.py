"""Recall and false alarms of physical parts."""

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from hdm.dataset.manifest import GOOD, Manifest

RATES = (0.05, 0.10)
"""Shares of good parts that are stopped, at which recalls are compared."""


def figures(images: Manifest, scores: np.ndarray, threshold: float) -> dict[str, Any]:
    """Of images with scores (N,): at the operating point by part and by picture, by defect type,
    and at fixed shares of false alarms. A part scores as its oddest picture does."""
    frame = images.frame.assign(score=scores)
    parts = frame.groupby("group").agg(score=("score", "max"), label=("label", "max"))
    bad, good = (parts["score"][parts["label"] == label].to_numpy() for label in (1, 0))
    kinds = frame[frame["defect_type"] != GOOD].groupby("defect_type")["score"]
    return {
        "recall": _above(bad, threshold), "false_alarms": _above(good, threshold),
        "defective_parts": len(bad), "good_parts": len(good), "threshold": threshold,
        "recall_at": {f"{rate:.2f}": recall_at(bad, good, rate) for rate in RATES},
        "part_auroc": float(roc_auc_score(parts["label"], parts["score"])),
        "image_auroc": float(roc_auc_score(frame["label"], frame["score"])),
        "image_recall": _above(frame["score"][frame["label"] == 1].to_numpy(), threshold),
        "image_false_alarms": _above(frame["score"][frame["label"] == 0].to_numpy(), threshold),
        "recall_by_type": {str(kind): _above(own.to_numpy(), threshold) for kind, own in kinds},
    }


def recall_at(bad: np.ndarray, good: np.ndarray, rate: float) -> float:
    """Share of `bad` scores above the limit that at most `rate` of the `good` ones exceed."""
    allowed = int(np.floor(rate * len(good) + 1e-9))
    return _above(bad, float(np.sort(good)[len(good) - 1 - allowed]))


def _above(scores: np.ndarray, limit: float) -> float:
    return float((scores > limit).mean())
