"""From evidence of a defect to one anomaly score an image."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

TOP_SHARE = 0.002
FILTER_SHARE = 1 / 32


class Evidence(NamedTuple):
    """Evidence of a defect in N images: at each pixel (N, 1, H, W), and what is odd of each image
    as a whole (N,), 0 where nothing is known of it. Both unbounded, in deviations of good images'
    scores. canvas: height and width that the network saw at once, the image or one of its tiles."""

    pixels: Tensor
    oddness: Tensor
    canvas: tuple[int, int]

    @property
    def scores(self) -> Tensor:
        """(N,), unbounded: evidence adds up, that of the worst pixels and that of the whole."""
        return image_scores(self.pixels, self.canvas) + self.oddness


def image_scores(evidence: Tensor, canvas: tuple[int, int]) -> Tensor:
    """Mean of the worst pixels of smoothed evidence, 0.2 % of a canvas: (N, 1, H, W) -> (N,).

    A defect is as large on an image of many tiles as on one, so its size goes by the canvas.
    Logits, not probabilities: where several images are certain they still rank.
    """
    size = max(3, 2 * round(min(canvas) * FILTER_SHARE / 2) + 1)
    smooth = F.avg_pool2d(evidence, size, 1, size // 2, count_include_pad=False)
    flat = smooth.flatten(1)
    worst = min(max(1, int(TOP_SHARE * canvas[0] * canvas[1])), flat.shape[1])
    return flat.topk(worst, dim=1).values.mean(1)


def canvas_of(images: Tensor) -> tuple[int, int]:
    """Height and width of (N, C, H, W)."""
    return images.shape[-2], images.shape[-1]
