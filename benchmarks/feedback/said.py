"""What people would say of a set's test images, and what is left to be measured.

People speak of one half of the parts, the other half is measured whole. Were the false alarms taken
out of what is measured, the detector before would be judged without its worst good images, and one
that has learned with them all.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hdm.dataset.manifest import GOOD, Manifest


@dataclass(frozen=True)
class Said:
    """Confirmed defects, good images that scored highest, and the parts nobody spoke of."""

    defects: Manifest
    alarms: Manifest
    rest: Manifest


def draw(test: Manifest, scores: np.ndarray, *, defects: int, alarms: int, seed: int) -> Said:
    """From test images and their scores (N,).

    The seed halves the parts, each kind of defect for itself. In one half defects are drawn, one a
    part, the types in turn; false alarms are its good images with the highest scores, of other
    parts. The other half is the rest.
    """
    frame, rng = test.frame, np.random.default_rng(seed)
    spoken = frame["group"].isin(_half(frame, rng))
    bad = _in_turn(frame[spoken & (frame["label"] == 1)], defects, rng)
    open_ = spoken & (frame["label"] == 0) & ~frame["group"].isin(set(frame["group"].iloc[bad]))
    order = [row for row in np.argsort(-scores, kind="stable") if open_.iloc[row]]
    return Said(part(test, bad), part(test, order[:alarms]),
                part(test, np.flatnonzero(~spoken)))


def part(images: Manifest, rows: "list[int] | np.ndarray") -> Manifest:
    """Some rows of a manifest, in its order."""
    return Manifest(images.frame.iloc[sorted(rows)].reset_index(drop=True), images.root,
                    images.masks)


def _half(frame: pd.DataFrame, rng: np.random.Generator) -> set[str]:
    """Half of the parts of each kind; a part is of the kind of its first defect."""
    kinds = frame.sort_values("label", ascending=False, kind="stable").drop_duplicates("group")
    chosen: set[str] = set()
    for _, own in kinds.groupby("defect_type"):
        chosen |= set(rng.permutation(np.sort(own["group"].to_numpy()))[:len(own) // 2])
    return chosen


def _in_turn(frame: pd.DataFrame, count: int, rng: np.random.Generator) -> list[int]:
    pools = {kind: list(rng.permutation(np.asarray(own.index)))
             for kind, own in frame.groupby("defect_type") if kind != GOOD}
    drawn: list[int] = []
    groups: set[str] = set()
    while len(drawn) < count and any(pools.values()):
        for pool in pools.values():
            while pool and frame.loc[pool[0], "group"] in groups:
                pool.pop(0)
            if pool and len(drawn) < count:
                drawn.append(int(pool.pop(0)))
                groups.add(frame.loc[drawn[-1], "group"])
    return drawn
