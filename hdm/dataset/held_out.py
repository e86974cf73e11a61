"""Which held-out good images prepare the detector, and which set its threshold and nothing else."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hdm.dataset.manifest import Manifest

FEWEST, SHARE = 3, 4


def joining(groups: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each held-out image, of the part `groups` names, is one of those that evidence is
    joined on, defects are grown on, and choices are made by; (n,).

    Every fourth part, but at least three if there are six. All others set thresholds alone: what is
    promised by conformal prediction holds for scores that they had no say in. Which ones does not
    depend on what they look like. A single part has to do both.
    """
    names = list(dict.fromkeys(groups))
    count = max(len(names) // SHARE, min(FEWEST, len(names) // 2))
    if not count:
        return np.ones(len(groups), dtype=bool)
    step = len(names) / count
    chosen = {names[int(step * (place + 0.5))] for place in range(count)}
    return np.array([group in chosen for group in groups], dtype=bool)


def joining_images(manifest: Manifest) -> Manifest:
    """Of a line's calibration split, those that are `joining`."""
    held = manifest.split("calibration")
    return held.where(joining(list(held.frame["group"])))
