"""POM in the discrimination phase: from scores to probabilities, on held-out images alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from hdm.dataset.appearance import Appearance


@dataclass(frozen=True)
class Calibration:
    """Turns scores and logits into p-values and probabilities.

    normal_scores: image scores of the calibration normals, ascending. appearance: how each of
    these images looks, in the same order. synthetic_scores: of synthetic defects that were grown
    on held-out good images, ascending. pixel: (slope, bias) of pixel logits; image: (slope, bias)
    of image scores, fitted on synthetic defects and so indicative.
    """

    normal_scores: tuple[float, ...]
    appearance: tuple[Appearance, ...]
    synthetic_scores: tuple[float, ...]
    pixel: tuple[float, float]
    image: tuple[float, float]

    @property
    def smallest_rate(self) -> float:
        """1 / (n + 1), the smallest rate that n normals can certify."""
        return 1 / (len(self.normal_scores) + 1)

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
        lists = {k: tuple(content[k])
                 for k in ("normal_scores", "synthetic_scores", "pixel", "image")}
        looks = tuple(Appearance(*look) for look in content["appearance"])
        return cls(**{**content, **lists, "appearance": looks})


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
              synthetic_scores: np.ndarray, pixel_logits: np.ndarray, pixel_labels: np.ndarray
              ) -> Calibration:
    """Fit all of `Calibration`.

    Args:
        normal_scores: (n,) held-out good images. appearance: n, how these look.
        synthetic_scores: (m,) synthetic defects grown on held-out good images; may be empty.
        pixel_logits, pixel_labels: (p,) a sample of pixels of both.
    """
    scores = np.concatenate([normal_scores, synthetic_scores])
    labels = np.concatenate([np.zeros(len(normal_scores)), np.ones(len(synthetic_scores))])
    order = np.argsort(normal_scores, kind="stable")
    return Calibration(
        tuple(float(s) for s in normal_scores[order]), tuple(appearance[n] for n in order),
        tuple(float(s) for s in np.sort(synthetic_scores)),
        fit_platt(pixel_logits, pixel_labels), fit_platt(scores, labels))
