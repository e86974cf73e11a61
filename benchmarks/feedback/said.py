"""What people would say of a set's test images, and what is left to be measured."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hdm.dataset.manifest import GOOD, Manifest


@dataclass(frozen=True)
class Said:
    """Confirmed defects, good images that scored highest, and test images of no part of either."""

    defects: Manifest
    alarms: Manifest
    rest: Manifest


def draw(test: Manifest, scores: np.ndarray, *, defects: int, alarms: int, seed: int) -> Said:
    """From test images and their scores (N,).

    Defects are drawn by the seed, one a part, the types in turn; false alarms are the good images
    with the highest scores, of any parts. Of a part that anything was said of nothing is measured.
    """
    frame = test.frame
    bad = _in_turn(frame[frame["label"] == 1], defects, np.random.default_rng(seed))
    taken = set(frame["group"].iloc[bad])
    order = [row for row in np.argsort(-scores, kind="stable") if frame["label"].iloc[row] == 0
             and frame["group"].iloc[row] not in taken]
    good = sorted(order[:alarms])
    taken |= set(frame["group"].iloc[good])
    rest = np.flatnonzero(~frame["group"].isin(taken))
    return Said(part(test, bad), part(test, good), part(test, rest))


def part(images: Manifest, rows: "list[int] | np.ndarray") -> Manifest:
    """Some rows of a manifest, in its order."""
    return Manifest(images.frame.iloc[sorted(rows)].reset_index(drop=True), images.root,
                    images.masks)


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
