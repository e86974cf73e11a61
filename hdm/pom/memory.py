"""Remembered features of good parts, and how far from all of them a part is.

The discriminator's logits say where its synthetic defects were. The features inside it know more: a
real defect that resembles none of them still looks unlike any good part. As in PatchCore (Roth et
al. 2022) some thousand features of good images are remembered, and an image is as odd as the one
of its places whose nearest remembered feature is farthest; the features are the discriminator's
own, so nothing is downloaded.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

REMEMBERED = 4096
AT_ONCE = 512
"""Remembered features that are compared at a time, so that memory stays small."""
FLOOR = 0.01
"""Added to variances, as a share of the mean one: a feature that never fired is not infinitely
odd when it does."""


@dataclass(frozen=True)
class Memory:
    """Features of good images: mean (D,) and whitening (D, D) make features uncorrelated;
    remembered (M, D) is made so."""

    mean: Tensor
    whitening: Tensor
    remembered: Tensor

    @classmethod
    def fit(cls, context: Tensor) -> tuple[Self, Tensor]:
        """From features (N, D, h, w) of N good images; also these images' distances (N,), to what
        is remembered of the others."""
        points = _points(context)
        mean = points.mean(0)
        variance = (points - mean).pow(2).mean(0)
        deviation = (variance + FLOOR * variance.mean()).clamp(min=1e-12).sqrt()
        standard = ((points - mean) / deviation).double()
        correlations = standard.T @ standard / len(points)
        precision = torch.linalg.inv(correlations + FLOOR * torch.eye(len(mean)))
        whitening = torch.linalg.cholesky(precision).float() / deviation[:, None]
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randperm(len(points), generator=generator)[:REMEMBERED]
        white = (points - mean) @ whitening
        remembered, owner = white[chosen], chosen // (len(points) // len(context))
        others = [remembered[owner != image] for image in range(len(context))]
        distances = torch.stack([_farthest(own, rest) for own, rest
                                 in zip(white.view(len(context), 1, -1, len(mean)), others,
                                        strict=True) if len(rest)] or [torch.zeros(1)])
        return cls(mean, whitening, remembered), distances.flatten()

    def distance(self, context: Tensor) -> Tensor:
        """Of the place that is farthest from all that is remembered, (N, D, h, w) -> (N,)."""
        n, width = context.shape[:2]
        white = (_points(context) - self.mean) @ self.whitening
        return _farthest(white.view(n, -1, width), self.remembered)


def _points(context: Tensor) -> Tensor:
    """(N, D, h, w) -> (N h w, D), place by place, image after image."""
    return context.movedim(1, 3).flatten(0, 2)


def _farthest(points: Tensor, remembered: Tensor) -> Tensor:
    """Distance to its nearest of (M, D) of the point that has the farthest, (N, P, D) -> (N,)."""
    nearest = torch.stack([
        ((part * part).sum(1) - 2 * points @ part.T).min(2).values
        for part in remembered.split(AT_ONCE)]).min(0).values
    squared = nearest + (points * points).sum(2)
    return squared.max(1).values.clamp(min=0).sqrt()
