"""How an image looks, in three numbers that change when a camera or its light does."""

from typing import NamedTuple

import torch
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
        grey = image.float().mean(0)
        steps = torch.cat([grey.diff(dim=0).flatten(), grey.diff(dim=1).flatten()]).abs()
        return cls(grey.mean().item(), grey.std(correction=0).item(),
                   steps.mean().item() if len(steps) else 0.0)
