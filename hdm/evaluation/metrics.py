"""Image-level quality, and the value-or-reason that every metric is reported as."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

NO_DEFECTS = "the test split has no defective images"
NO_GOOD = "the test split has no good images"


@dataclass(frozen=True)
class Measure:
    """A metric: `value` is a finite number, or None with the `reason` why it is undefined."""

    value: float | None
    reason: str = ""

    @classmethod
    def undefined(cls, reason: str) -> "Measure":
        """A metric that these data do not define."""
        return cls(None, reason)

    @classmethod
    def ratio(cls, part: float, whole: float, reason: str) -> "Measure":
        """`part` / `whole`, undefined for `reason` where `whole` is 0."""
        return cls(part / whole) if whole else cls.undefined(reason)


def image_auroc(labels: ArrayLike, scores: ArrayLike) -> Measure:
    """Area under the ROC curve of image scores; `labels` are 0 good, 1 defect, both (N,)."""
    return _ranking(roc_auc_score, labels, scores)


def image_ap(labels: ArrayLike, scores: ArrayLike) -> Measure:
    """Average precision of image scores; the share of defects is what chance gives."""
    return _ranking(average_precision_score, labels, scores)


def _ranking(metric: Callable[..., float], labels: ArrayLike, scores: ArrayLike) -> Measure:
    truth = np.asarray(labels, dtype=bool)
    if not truth.any():
        return Measure.undefined(NO_DEFECTS)
    if truth.all():
        return Measure.undefined(NO_GOOD)
    return Measure(float(metric(truth, np.asarray(scores, dtype=np.float64))))


@dataclass(frozen=True)
class Confusion:
    """Decisions at the calibrated threshold against the truth, in images."""

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @classmethod
    def of(cls, labels: ArrayLike, called: ArrayLike) -> "Confusion":
        """Count; `called` (N,) is True where the decision is another than 'good'."""
        truth: NDArray[np.bool_] = np.asarray(labels, dtype=bool)
        alarm: NDArray[np.bool_] = np.asarray(called, dtype=bool)
        return cls(int((truth & alarm).sum()), int((truth & ~alarm).sum()),
                   int((~truth & alarm).sum()), int((~truth & ~alarm).sum()))

    @property
    def defects(self) -> int:
        """Defective images."""
        return self.true_positives + self.false_negatives

    @property
    def good(self) -> int:
        """Good images."""
        return self.false_positives + self.true_negatives

    @property
    def recall(self) -> Measure:
        """Share of defective images that are caught."""
        return Measure.ratio(self.true_positives, self.defects, NO_DEFECTS)

    @property
    def precision(self) -> Measure:
        """Share of alarms that are defects."""
        return Measure.ratio(self.true_positives, self.true_positives + self.false_positives,
                             "no image was called defective")

    @property
    def false_alarm_rate(self) -> Measure:
        """Share of good images that are called defective."""
        return Measure.ratio(self.false_positives, self.good, NO_GOOD)

    @property
    def f1(self) -> Measure:
        """Harmonic mean of recall and precision; 0 if nothing is caught."""
        if not self.defects:
            return Measure.undefined(NO_DEFECTS)
        errors = self.false_negatives + self.false_positives
        return Measure(2 * self.true_positives / (2 * self.true_positives + errors))
