"""Fitting a detector's calibration, on held-out images alone."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from hdm.dataset.appearance import Appearance
from hdm.detector.calibration import Calibration


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


def calibrate(normal_scores: np.ndarray, appearance: Sequence[Appearance],
              synthetic_scores: np.ndarray, pixel_logits: np.ndarray, pixel_labels: np.ndarray,
              groups: Sequence[str] = ()) -> Calibration:
    """Fit all of `Calibration`.

    Args:
        normal_scores: (n,) held-out good images. appearance: n, how these look.
        synthetic_scores: (m,) synthetic defects grown on held-out good images; may be empty.
        pixel_logits, pixel_labels: (p,) a sample of pixels of both.
        groups: n, the name of the part that each held-out image shows; empty if each shows another.
    """
    scores = np.concatenate([normal_scores, synthetic_scores])
    labels = np.concatenate([np.zeros(len(normal_scores)), np.ones(len(synthetic_scores))])
    order = np.argsort(normal_scores, kind="stable")
    return Calibration(
        tuple(float(s) for s in normal_scores[order]), tuple(appearance[n] for n in order),
        tuple(float(s) for s in np.sort(synthetic_scores)),
        fit_platt(pixel_logits, pixel_labels), fit_platt(scores, labels),
        tuple(groups[n] for n in order) if len(groups) else ())
