"""From scores to p-values and probabilities, by what held-out good images show."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
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
