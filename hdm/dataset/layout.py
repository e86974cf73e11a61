"""Does a place in the image mean the same on every part of the line?"""

import torch
from torch import Tensor


def position_share(images: Tensor) -> float:
    """Share of the images' variance (N, C, H, W) that their mean image explains, 0 to 1.

    About 0 for a texture or boards of many layouts, 0.3 to 0.9 for parts in a fixture. The mean
    images of two halves are compared, so that few images do not seem alike by chance. Each image's
    own brightness and contrast is taken out first.
    """
    grey = images.mean(1, keepdim=True)
    mean, spread = grey.mean((1, 2, 3), keepdim=True), grey.std((1, 2, 3), keepdim=True)
    standard = (grey - mean) / spread.clamp(min=1e-3)
    halves = standard[::2].mean(0), standard[1::2].mean(0)
    total = standard.pow(2).mean()
    return float(torch.clamp((halves[0] * halves[1]).mean() / total.clamp(min=1e-6), 0, 1))
