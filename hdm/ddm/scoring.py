"""From evidence of a defect to one anomaly score an image."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

TOP_SHARE = 0.002
FILTER_SHARE = 1 / 32


class Evidence(NamedTuple):
    """Evidence of a defect in N images: at each pixel (N, 1, H, W), and of each image as a whole
    (N,), minus infinity where nothing is known of it. Both unbounded and in one unit."""

    pixels: Tensor
    oddness: Tensor

    @property
    def scores(self) -> Tensor:
        """(N,), unbounded: that of the worst pixels or of the whole, whichever is more. Added, what
        the one does not know would blur what the other does (docs/experiments.md)."""
        return torch.maximum(image_scores(self.pixels), self.oddness)


def image_scores(logits: Tensor) -> Tensor:
    """Mean of the top 0.2 % of smoothed logits: (N, 1, H, W) -> (N,).

    Logits, not probabilities: where several images are certain they still rank.
    """
    size = max(3, 2 * round(min(logits.shape[-2:]) * FILTER_SHARE / 2) + 1)
    smooth = F.avg_pool2d(logits, size, 1, size // 2, count_include_pad=False)
    flat = smooth.flatten(1)
    return flat.topk(max(1, int(TOP_SHARE * flat.shape[1])), dim=1).values.mean(1)
