"""Remembered features of good parts, and how far from all of them a part is.

The discriminator's logits say where its synthetic defects were. The features inside it know more: a
real defect that resembles none of them still looks unlike any good part. As in PatchCore (Roth et
al. 2022) some thousand features of good images are remembered, and an image is as odd as the one
of its places whose nearest remembered feature is farthest; the features are the discriminator's
own, so nothing is downloaded.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

AT_ONCE = 512
"""Remembered features that are compared at a time, so that memory stays small."""


@dataclass(frozen=True)
class Memory:
    """Features of good images: mean (D,) and whitening (D, D) make features uncorrelated;
    remembered (M, D) is made so."""

    mean: Tensor
    whitening: Tensor
    remembered: Tensor

    def distance(self, context: Tensor) -> Tensor:
        """Of the place that is farthest from all that is remembered, (N, D, h, w) -> (N,)."""
        n, width = context.shape[:2]
        white = (features_by_place(context) - self.mean) @ self.whitening
        return farthest(white.view(n, -1, width), self.remembered)


def features_by_place(context: Tensor) -> Tensor:
    """(N, D, h, w) -> (N h w, D), place by place, image after image."""
    return context.movedim(1, 3).flatten(0, 2)


def farthest(points: Tensor, remembered: Tensor) -> Tensor:
    """Distance to its nearest of (M, D) of the point that has the farthest, (N, P, D) -> (N,)."""
    nearest = torch.stack([
        ((part * part).sum(1) - 2 * points @ part.T).min(2).values
        for part in remembered.split(AT_ONCE)]).min(0).values
    squared = nearest + (points * points).sum(2)
    return squared.max(1).values.clamp(min=0).sqrt()
