"""From evidence of a defect to one anomaly score an image: a scan by windows of several sizes."""

from typing import NamedTuple

import torch
from torch import Tensor

from hdm.detector.window_means import window_means

WINDOWS = (1 / 64, 1 / 16, 1 / 4)
"""Sides of the windows, as shares of the canvas's shorter one. A pinhole fills a small window, half
a part of another grinding a large one; either is lost in the other's."""


class Expected(NamedTuple):
    """What good images show, as mean and deviation: evidence at single pixels, (2,), and what
    `scan` says of an image, (2, W)."""

    pixel: Tensor
    windows: Tensor


class Evidence(NamedTuple):
    """Evidence of a defect in N images: at each pixel (N, 1, H, W), and what is odd of each image
    as a whole (N,), 0 where nothing is known of it. Both unbounded, in deviations of good images'
    scores. canvas: height and width that the network saw at once, the image or one of its tiles.
    expected: of good images."""

    pixels: Tensor
    image_level: Tensor
    canvas: tuple[int, int]
    expected: Expected

    @property
    def scores(self) -> Tensor:
        """(N,), unbounded: evidence adds up, that of the oddest window and that of the whole."""
        found = scan(self.pixels, self.canvas, self.expected.pixel)
        return standard(found, self.expected.windows).amax(1) + self.image_level


def scan(evidence: Tensor, canvas: tuple[int, int], pixel: Tensor) -> Tensor:
    """Largest mean over a window, for each size: (N, 1, H, W) -> (N, W).

    pixel: mean and deviation of evidence at single pixels of good images.

    A scan for a defect of unknown place and size (Arias-Castro, Donoho & Huo 2005): each size is
    judged by what good images show at it, and the oddest size speaks. The smallest window asks how
    odd its pixels are (logits, not probabilities: where several images are certain they still
    rank); a larger one how many of them are odd, lest it repeat the small one's peak.
    """
    fine = largest_mean(evidence, canvas, WINDOWS[0])
    odd = torch.sigmoid(standard(evidence, pixel))
    return torch.stack([fine, *(largest_mean(odd, canvas, side) for side in WINDOWS[1:])], 1)


def largest_mean(values: Tensor, canvas: tuple[int, int], side: float) -> Tensor:
    """Over a window of `side`, a share of the canvas: (N, 1, H, W) -> (N,).

    A defect is as large on an image of many tiles as on one, so its size goes by the canvas.
    """
    radius = max(1, round(min(canvas) * side / 2))
    return window_means(values, radius).flatten(1).amax(1)


def moments(values: Tensor) -> Tensor:
    """Mean and deviation of all values, (2,); of each column of (N, W), (2, W)."""
    rows = values if values.ndim == 2 else values.flatten()
    return torch.stack([rows.mean(0), rows.std(0, correction=0).clamp(min=1e-6)])


def standard(values: Tensor, expected: Tensor) -> Tensor:
    """In deviations from the mean; what `moments` gave."""
    return (values - expected[0]) / expected[1]


def canvas_of(images: Tensor) -> tuple[int, int]:
    """Height and width of (N, C, H, W)."""
    return images.shape[-2], images.shape[-1]
