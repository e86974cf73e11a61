"""Benign change: what a good part and its camera may do from one image to the next.

A few hundred good images are known by heart within a thousand steps, and any new one then looks
odd; with these changes the false alarms on held-out good images fall to a fraction
(docs/experiments.md, "Benign change"). Every change is the same for what is seen and for what is
normal.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.model_settings import Benign

NOISY_SHARE = 0.6
SHADING_GRID = 3


def light(planes: list[Tensor], benign: Benign, generator: torch.Generator) -> list[Tensor]:
    """Contrast, brightness, smooth shading and sensor noise, the same for images (N, C, H, W)."""
    first = planes[0]
    n = len(first)
    gain = torch.exp(benign.contrast * _signed(n, generator))
    middle = first.mean((1, 2, 3), keepdim=True)
    offset = middle - gain * middle + benign.brightness * _signed(n, generator)
    if benign.shading:
        coarse = torch.randn(n, 1, SHADING_GRID, SHADING_GRID, generator=generator)
        coarse = benign.shading * torch.rand(n, 1, 1, 1, generator=generator) * coarse
        offset = offset + F.interpolate(coarse, size=first.shape[2:], mode="bicubic",
                                        align_corners=True)
    if benign.noise:
        noisy = torch.rand(n, 1, 1, 1, generator=generator) < NOISY_SHARE
        spread = benign.noise * torch.rand(n, 1, 1, 1, generator=generator) * noisy
        offset = offset + spread * torch.randn(first.shape, generator=generator)
    return [gain * plane + offset for plane in planes]


def pose(images: Tensor, labels: Tensor, benign: Benign, generator: torch.Generator
         ) -> tuple[Tensor, Tensor]:
    """Turn, scale and shift, reflected at the border, and mirror images.

    images (N, C, H, W) are interpolated, labels (N, L, H, W) take the nearest value.
    """
    n, (height, width) = len(images), images.shape[2:]
    angle = torch.deg2rad(benign.turn * _signed(n, generator)).flatten()
    scale = torch.exp(benign.scale * _signed(n, generator)).flatten()
    # Normalised coordinates run from -1 to 1, whatever the side.
    shift = 2 * benign.shift * torch.stack([_signed(n, generator).flatten() for _ in "xy"], 1)
    rows = [torch.stack([scale * angle.cos(), -scale * angle.sin() * height / width], 1),
            torch.stack([scale * angle.sin() * width / height, scale * angle.cos()], 1)]
    grid = F.affine_grid(torch.cat([torch.stack(rows, 1), shift[:, :, None]], 2),
                         [n, 1, height, width], align_corners=False)
    images = F.grid_sample(images, grid, "bilinear", "reflection", align_corners=False)
    labels = F.grid_sample(labels, grid, "nearest", "reflection", align_corners=False)
    if benign.flips:
        for axis in (2, 3):
            turned = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
            images = torch.where(turned, images.flip(axis), images)
            labels = torch.where(turned, labels.flip(axis), labels)
    return images, labels


def _signed(n: int, generator: torch.Generator) -> Tensor:
    """Uniform in [-1, 1], (N, 1, 1, 1)."""
    return 2 * torch.rand(n, 1, 1, 1, generator=generator) - 1
