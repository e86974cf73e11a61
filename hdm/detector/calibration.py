"""From scores to p-values and probabilities, by what held-out good images show."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from hdm.dataset.appearance import Appearance
from hdm.detector.conformal import part_scores


@dataclass(frozen=True)
class Calibration:
    """Turns scores and logits into p-values and probabilities.

    normal_scores: image scores of the calibration normals, ascending. appearance: how each of
    these images looks, in the same order. synthetic_scores: of synthetic defects that were grown
    on held-out good images, ascending. pixel: (slope, bias) of pixel logits; image: (slope, bias)
    of image scores, fitted on synthetic defects and so indicative. groups: the name of the
    physical part that each normal shows, in their order; empty if each shows another that nobody
    named.
    """

    normal_scores: tuple[float, ...]
    appearance: tuple[Appearance, ...]
    synthetic_scores: tuple[float, ...]
    pixel: tuple[float, float]
    image: tuple[float, float]
    groups: tuple[str, ...] = ()

    @cached_property
    def part_scores(self) -> NDArray[np.float64]:
        """The largest score of each part's pictures, ascending, (parts,)."""
        return part_scores(self.normal_scores, self.groups)

    @cached_property
    def pictures(self) -> NDArray[np.int64]:
        """How many pictures each part has, (parts,)."""
        groups = np.asarray(self.groups or range(len(self.normal_scores)))
        return np.unique(groups, return_counts=True)[1]

    @property
    def smallest_rate(self) -> float:
        """1 / (n + 1), the smallest rate of false alarms that n good parts can promise."""
        return 1 / (len(self.part_scores) + 1)

    def p_value(self, score: float) -> float:
        """Share of good parts expected to have a picture at or above `score`:
        (1 + #{S_g >= s}) / (n + 1), over n parts."""
        below = int(np.searchsorted(self.part_scores, score, side="left"))
        return (1 + len(self.part_scores) - below) / (len(self.part_scores) + 1)

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
        return cls(**{**content, **lists, "appearance": looks,
                      "groups": tuple(content["groups"])})
