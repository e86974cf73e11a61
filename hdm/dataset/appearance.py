"""How an image looks, in three numbers that change when a camera or its light does."""

from typing import NamedTuple

import numpy as np
from torch import Tensor


class Appearance(NamedTuple):
    """Of an image as a detector sees it, values about [-1, 1]: mean, standard deviation, and mean
    absolute difference of neighbouring pixels."""

    brightness: float
    contrast: float
    sharpness: float

    @classmethod
    def of(cls, image: Tensor) -> "Appearance":
        """Measure (C, H, W) as `InputFormat.prepare` gives it; colours are averaged."""
        # By numpy: torch's threads would share out a sum, which rounds it otherwise.
        grey = image.float().mean(0).cpu().numpy()
        steps = np.abs(np.concatenate([np.diff(grey, axis=axis).ravel() for axis in (0, 1)]))
        return cls(float(grey.mean(dtype=np.float64)), float(grey.std(dtype=np.float64)),
                   float(steps.mean(dtype=np.float64)) if steps.size else 0.0)
