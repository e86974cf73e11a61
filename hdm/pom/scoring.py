"""From evidence of a defect to one anomaly score an image."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

TOP_SHARE = 0.002
FILTER_SHARE = 1 / 32


class Evidence(NamedTuple):
    """Evidence of a defect in N images: at each pixel (N, 1, H, W), and what is odd of each image
    as a whole (N,), 0 where nothing is known of it. Both unbounded, in deviations of good images'
    scores."""

    pixels: Tensor
    oddness: Tensor

    @property
    def scores(self) -> Tensor:
        """(N,), unbounded: evidence adds up, that of the worst pixels and that of the whole."""
        return image_scores(self.pixels) + self.oddness


def image_scores(evidence: Tensor) -> Tensor:
    """Mean of the top 0.2 % of smoothed evidence: (N, 1, H, W) -> (N,).

    Logits, not probabilities: where several images are certain they still rank.
    """
    size = max(3, 2 * round(min(evidence.shape[-2:]) * FILTER_SHARE / 2) + 1)
    smooth = F.avg_pool2d(evidence, size, 1, size // 2, count_include_pad=False)
    flat = smooth.flatten(1)
    return flat.topk(max(1, int(TOP_SHARE * flat.shape[1])), dim=1).values.mean(1)
