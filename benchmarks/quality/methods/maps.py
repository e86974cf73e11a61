"""From a grid of patch distances to an anomaly map and an image score."""

import torch
from torch import Tensor
from torch.nn import functional as F

SMOOTHING = 4 / 224
"""Standard deviation of PaDiM's and PatchCore's Gaussian, 4 px of 224, as a share of the side."""


def anomaly_maps(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """Distances (N, h, w), interpolated to `size` and smoothed: (N, H, W)."""
    maps = F.interpolate(grid[:, None], size=size, mode="bilinear", align_corners=False)
    return gaussian(maps, SMOOTHING * min(size))[:, 0]


def gaussian(images: Tensor, sigma: float) -> Tensor:
    """(N, C, H, W) smoothed by a Gaussian of `sigma` px, cut at three, mirrored at the border."""
    radius = min(max(1, round(3 * sigma)), min(images.shape[-2:]) - 1)
    place = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (place / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1)
    flat = images.flatten(0, 1)[:, None]
    flat = F.conv2d(F.pad(flat, (0, 0, radius, radius), mode="reflect"), kernel)
    flat = F.conv2d(F.pad(flat, (radius, radius, 0, 0), mode="reflect"), kernel.transpose(2, 3))
    return flat[:, 0].unflatten(0, images.shape[:2])
