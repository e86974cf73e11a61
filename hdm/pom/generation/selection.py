"""POM in the generation phase: which synthetic samples are worth training on, and why.

A pure decision: measured evidence in, one reason code a sample out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hdm.dagm.blending import VISIBLE_PIXELS
from hdm.model_settings import PomFilter

KEPT = "kept"
NO_VISIBLE_CHANGE = "no_visible_change"
LIKELY_NORMAL = "likely_normal"
UNDETECTABLE = "undetectable"
REDUNDANT = "redundant"
REASONS = {
    NO_VISIBLE_CHANGE: "the image changed less than a good image's own noise",
    LIKELY_NORMAL: "the prior finds it as likely as unchanged good images",
    UNDETECTABLE: "no better than chance for a probe trained on other samples",
    REDUNDANT: "very like a sample already kept",
    KEPT: "trained on",
}
HARD_MARGIN = 0.1


@dataclass(frozen=True)
class Selection:
    """table: the evidence with `reason`. gap_floor: the gap that unchanged good images reach by
    chance."""

    table: pd.DataFrame
    gap_floor: float

    @property
    def kept(self) -> np.ndarray:
        """Rows of the bank that are trained on or validated with."""
        return np.flatnonzero(self.table["reason"] == KEPT)

    def funnel(self) -> dict[str, Any]:
        """Counts by reason, in total and by source, and each source's share of training: what went
        in, what came out, and why not."""
        counts = self.table["reason"].value_counts()
        by_source = pd.crosstab(self.table["source"], self.table["reason"])
        trained = self.table.loc[self.kept, "source"].value_counts(normalize=True)
        return {
            "candidates": len(self.table),
            "gap_floor": self.gap_floor,
            "reasons": {code: {"count": int(counts.get(code, 0)), "meaning": meaning}
                        for code, meaning in REASONS.items()},
            "by_source": {str(source): {code: int(row.get(code, 0)) for code in REASONS}
                          for source, row in by_source.iterrows()},
            "shares": {str(source): float(trained.get(source, 0)) for source in by_source.index},
        }


def select(evidence: pd.DataFrame, visible_pixels: np.ndarray, descriptors: np.ndarray,
           settings: PomFilter) -> Selection:
    """Decide on every sample.

    Args:
        evidence: table with source, gap, chance_gap, detectability.
        visible_pixels: (S,) pixels that visibly changed.
        descriptors: (S, D) standardised; distance in them is difference between samples.

    A sample is rejected if nothing visible changed, or if it is both as likely as unchanged
    images (gap below the `minimum_gap` quantile of chance) and hard for the probe, or if the
    probe does no better than chance. What passes is thinned to the share `keep` by farthest-point
    order, with a floor a source.
    """
    floor = float(np.quantile(evidence["chance_gap"], settings.minimum_gap))
    gap, found = evidence["gap"].to_numpy(), evidence["detectability"].to_numpy()
    reason = np.full(len(evidence), KEPT, dtype=object)
    reason[(found < settings.minimum_detectability)] = UNDETECTABLE
    reason[(gap < floor) & (found < settings.minimum_detectability + HARD_MARGIN)] = LIKELY_NORMAL
    reason[visible_pixels < VISIBLE_PIXELS] = NO_VISIBLE_CHANGE
    budget = max(1, round(settings.keep * len(evidence)))
    passed = np.flatnonzero(reason == KEPT)
    if len(passed) > budget:
        keep = diverse(descriptors[passed], evidence["source"].to_numpy()[passed], budget,
                       settings.source_floor)
        reason[np.setdiff1d(passed, passed[keep])] = REDUNDANT
    return Selection(evidence.assign(reason=reason.astype(str)), floor)


def diverse(points: np.ndarray, sources: np.ndarray, budget: int, floor: float) -> np.ndarray:
    """Indices of `budget` points in farthest-point order; each source keeps at least `floor`."""
    chosen: list[int] = []
    for source in np.unique(sources):
        members = np.flatnonzero(sources == source)
        chosen += members[_farthest(points[members], max(1, int(floor * len(members))))].tolist()
    chosen = chosen[:budget]
    return np.sort(np.array(chosen + _farthest(points, budget, chosen).tolist())[:budget])


def _farthest(points: np.ndarray, count: int, start: list[int] | None = None) -> np.ndarray:
    """Greedy farthest-point order (Gonzalez 1985), beyond the points in `start`."""
    taken = list(start or [int(np.argmin(np.linalg.norm(points, axis=1)))])
    nearest = np.full(len(points), np.inf)
    for index in taken:
        nearest = np.minimum(nearest, np.linalg.norm(points - points[index], axis=1))
    order = [] if start else list(taken)
    while len(order) + len(start or ()) < min(count, len(points)):
        nearest[taken + order] = -1  # equal points: none is taken twice
        index = int(np.argmax(nearest))
        order.append(index)
        nearest = np.minimum(nearest, np.linalg.norm(points - points[index], axis=1))
    return np.array(order, dtype=int)
