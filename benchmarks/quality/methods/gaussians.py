"""PaDiM's model of features (Defard et al. 2021): one Gaussian a position."""

import torch
from torch import Tensor

from benchmarks.quality.methods.maps import anomaly_maps

FLOOR = 1e-4
"""Added to the covariance of features that vary by 1 over the line: nothing varies by less."""


class Gaussians:
    """Mean and shrunk covariance of every grid position; features (N, D, h, w)."""

    def __init__(self, features: Tensor) -> None:
        self.centre = features.mean((0, 2, 3))[:, None, None]
        self.scale = features.std((0, 2, 3))[:, None, None].clamp(min=1e-6)
        points = self._points(features)
        self.mean = points.mean(1, keepdim=True)
        covariance = oas(points - self.mean)
        covariance.diagonal(dim1=1, dim2=2).add_(FLOOR)
        self.factor = torch.linalg.cholesky(covariance)

    def distances(self, features: Tensor) -> Tensor:
        """Mahalanobis distance of each position, (N, h, w)."""
        away = (self._points(features) - self.mean).transpose(1, 2)
        white = torch.linalg.solve_triangular(self.factor, away, upper=False)
        return white.pow(2).sum(1).sqrt().T.unflatten(1, features.shape[-2:])

    def score(self, features: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Image scores, the maximum of the map, and maps of `size`."""
        maps = anomaly_maps(self.distances(features), size)
        return maps.amax((1, 2)), maps

    def _points(self, features: Tensor) -> Tensor:
        """Standardised features by position, (h w, N, D)."""
        return ((features - self.centre) / self.scale).flatten(2).permute(2, 0, 1)


def oas(centred: Tensor) -> Tensor:
    """Covariances (P, D, D) of P sets of N centred points (P, N, D), each shrunk towards its mean
    variance by the oracle approximating share (Chen et al. 2010, eq. 23)."""
    n, d = centred.shape[1:]
    covariance = centred.transpose(1, 2) @ centred / n
    mean = covariance.diagonal(dim1=1, dim2=2).mean(1)
    power = covariance.pow(2).mean((1, 2))
    above, below = power + mean**2, (n + 1) * (power - mean**2 / d)
    share = torch.where(below > 0, above / below.clamp(min=1e-30), torch.ones_like(below))
    share = share.clamp(max=1)[:, None, None]
    return (1 - share) * covariance + share * mean[:, None, None] * torch.eye(d)
