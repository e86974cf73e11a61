"""From an image's joined evidence to what its score is made of."""

from typing import NamedTuple

import torch
from torch import Tensor

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.window_means import window_means

WORST = 0.005
"""Share of a whole image's pixels whose mean is its score."""
WINDOWS = (1 / 64, 1 / 16, 1 / 4)
"""Sides of the windows by which tiles are scanned, as shares of the canvas's shorter side."""


class Evidence(NamedTuple):
    """Of a defect in N images: at each pixel (N, 1, H, W), and one score an image (N,). Both
    unbounded, 0 for what is usual of good images."""

    pixels: Tensor
    scores: Tensor


def worst(pixels: Tensor, share: float = WORST, ignored: Ignored | None = None) -> Tensor:
    """Mean of the oddest share of inspected pixels, (N, 1, H, W) -> (N,)."""
    flat = _inspected(pixels, ignored).flatten(1)
    count = flat.shape[1] if ignored is None else ignored.inspected
    return flat.topk(max(1, round(share * count)), dim=1).values.mean(1)


def scan(pixels: Tensor, canvas: tuple[int, int], pixel: Tensor, ignored: Ignored | None = None
         ) -> Tensor:
    """Largest mean over a window, for each size: (N, 1, H, W) -> (N, 3).

    canvas: height and width that the discriminator sees at once; a defect is as large on an image
    of many tiles as on one, so windows go by it. pixel: mean and deviation of evidence at single
    pixels of good images.

    A scan for a defect of unknown place and size (Arias-Castro, Donoho & Huo 2005). The smallest
    window asks how odd its pixels are; a larger one how many of them are odd, lest it repeat the
    small one's peak.
    """
    fine = largest_mean(pixels, canvas, WINDOWS[0], ignored)
    odd = torch.sigmoid(standard(pixels, pixel))
    larger = (largest_mean(odd, canvas, side, ignored) for side in WINDOWS[1:])
    return torch.stack([fine, *larger], 1)


def largest_mean(values: Tensor, canvas: tuple[int, int], side: float,
                 ignored: Ignored | None = None) -> Tensor:
    """Over a window of `side`, a share of the canvas: (N, 1, H, W) -> (N,). Of a window at the edge
    of what is inspected, as at the picture's, the pixels that are counts."""
    radius = max(1, round(min(canvas) * side / 2))
    if ignored is None:
        return window_means(values, radius).flatten(1).amax(1)
    counts = (~ignored.pixels).to(values)[None, None]
    found = window_means(values * counts, radius) / window_means(counts, radius).clamp(min=1e-9)
    return _inspected(found, ignored).flatten(1).amax(1)


def _inspected(pixels: Tensor, ignored: Ignored | None) -> Tensor:
    """Pixels (N, 1, H, W), the ignored ones below all others."""
    return pixels if ignored is None else pixels.masked_fill(ignored.pixels, -torch.inf)


def moments(values: Tensor) -> Tensor:
    """Mean and deviation of all values, (2,); of each column of (N, W), (2, W)."""
    rows = values if values.ndim == 2 else values.flatten()
    return torch.stack([rows.mean(0), rows.std(0, correction=0).clamp(min=1e-6)])


def standard(values: Tensor, expected: Tensor) -> Tensor:
    """In deviations from the mean; what `moments` gave."""
    return (values - expected[0]) / expected[1]
