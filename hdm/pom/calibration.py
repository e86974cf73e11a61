"""POM in the discrimination phase: from scores to decisions, on held-out good images alone."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


@dataclass(frozen=True)
class Calibration:
    """Turns scores and logits into p-values, probabilities and decisions.

    normal_scores: image scores of the calibration normals, ascending. threshold: decision limit
    for `false_alarm_rate`. smallest_rate: 1 / (n + 1), the smallest rate that n normals can
    certify. certified: whether the stated rate is at least that. pixel: (slope, bias) of pixel
    logits; image: (slope, bias) of image scores, fitted on synthetic defects and so indicative.
    """

    normal_scores: tuple[float, ...]
    threshold: float
    false_alarm_rate: float
    smallest_rate: float
    certified: bool
    pixel: tuple[float, float]
    image: tuple[float, float]

    def p_value(self, score: float) -> float:
        """Share of good parts expected at or above `score`: (1 + #{s_i >= s}) / (n + 1)."""
        below = int(np.searchsorted(np.asarray(self.normal_scores), score, side="left"))
        return (1 + len(self.normal_scores) - below) / (len(self.normal_scores) + 1)

    def probability(self, score: float) -> float:
        """Indicative probability of a defect at even odds, in [0, 1]."""
        slope, bias = self.image
        return float(expit(slope * score + bias))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Calibration":
        """The inverse of `as_dict`."""
        lists = {k: tuple(content[k]) for k in ("normal_scores", "pixel", "image")}
        return cls(**{**content, **lists})


def conformal_threshold(normal_scores: np.ndarray, rate: float) -> tuple[float, bool]:
    """The limit that a new good part exceeds with probability <= rate, and if that is certified.

    The ceil((n + 1)(1 - rate))-th smallest of n exchangeable scores (Vovk et al. 2005). Where n
    is too small for the rate, the largest score is the limit and the rate is not certified.
    """
    ordered = np.sort(np.asarray(normal_scores, dtype=float))
    n = len(ordered)
    if n == 0:
        raise ValueError("no calibration normals: expected at least one score")
    rank = math.ceil((n + 1) * (1 - rate) - 1e-9)
    return float(ordered[min(rank, n) - 1]), rank <= n


def fit_platt(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
              ) -> tuple[float, float]:
    """Slope >= 0 and bias of P(label) = sigmoid(slope s + bias) (Platt 1999), classes at even odds.

    A slope below zero would turn the order round; it is held at a small positive value.
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, float)
    weights = np.ones_like(scores) if weights is None else np.asarray(weights, float)
    for value in (0.0, 1.0):
        total = weights[labels == value].sum()
        if total == 0:
            return 1.0, 0.0
        weights = np.where(labels == value, weights / total, weights)
    centre, scale = float(np.median(scores)), float(max(scores.std(), 1e-6))
    z = (scores - centre) / scale

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slope, bias = np.exp(parameters[0]), parameters[1]
        x = slope * z + bias
        value = (weights * (np.logaddexp(0, x) - labels * x)).sum() + 1e-3 * slope**2
        delta = weights * (expit(x) - labels)
        return value, np.array([(delta * z).sum() * slope + 2e-3 * slope**2, delta.sum()])

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B",
                     bounds=[(-5.0, 5.0), (-20.0, 20.0)]).x
    slope = float(np.exp(found[0])) / scale
    return slope, float(found[1]) - slope * centre


def calibrate(normal_scores: np.ndarray, synthetic_scores: np.ndarray, pixel_logits: np.ndarray,
              pixel_labels: np.ndarray, rate: float) -> Calibration:
    """Fit all of `Calibration`.

    Args:
        normal_scores: (n,) held-out good images. synthetic_scores: (m,) synthetic defects grown
            on held-out good images; may be empty.
        pixel_logits, pixel_labels: (p,) a sample of pixels of both.
    """
    threshold, certified = conformal_threshold(normal_scores, rate)
    scores = np.concatenate([normal_scores, synthetic_scores])
    labels = np.concatenate([np.zeros(len(normal_scores)), np.ones(len(synthetic_scores))])
    return Calibration(
        tuple(float(s) for s in np.sort(normal_scores)), threshold, rate,
        1 / (len(normal_scores) + 1), certified,
        fit_platt(pixel_logits, pixel_labels), fit_platt(scores, labels))
