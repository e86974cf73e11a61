"""From raw features to latents: principal axes of good images' features, each of unit variance."""

from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 1e-3
"""Of the mean variance: axes that hardly vary are not blown up to noise."""


@dataclass(frozen=True)
class LatentSpace:
    """mean (C,) and whitening (C, D) of raw features."""

    mean: Tensor
    whitening: Tensor

    @classmethod
    def fit(cls, mean: Tensor, covariance: Tensor, dimensions: int) -> "LatentSpace":
        """PCA and whitening, (lambda + 1e-3 mean lambda)^-1/2, of C features."""
        variances, axes = torch.linalg.eigh(covariance.double())
        first = variances.flip(0)[:dimensions].clamp(min=0)
        scale = (first + FLOOR * variances.mean().clamp(min=1e-12)).rsqrt()
        # Laid out as it is read from disk: products with it are rounded by its layout.
        whitening = (axes.flip(1)[:, :dimensions] * scale).float().contiguous()
        return cls(mean.float(), whitening)

    def latents(self, features: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, D, h, w)."""
        places = features.movedim(1, -1)
        return ((places - self.mean) @ self.whitening).movedim(-1, 1)


def positions(height: int, width: int) -> Tensor:
    """(y, x) of the centres of h x w places, each in (0, 1): (h w, 2)."""
    y, x = ((torch.arange(side) + 0.5) / side for side in (height, width))
    return torch.stack(torch.meshgrid(y, x, indexing="ij"), -1).flatten(0, 1)
