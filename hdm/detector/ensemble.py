"""Discriminators that answer together.

Networks that learned from other starts and other draws are wrong about different good images and
agree on defects (deep ensembles, Lakshminarayanan et al. 2017). Where layouts never repeat, the
mean of their answers is better than any of them; elsewhere about as good (docs/experiments.md,
"Steps, members, a larger canvas").
"""

import torch
from torch import Tensor, nn

from hdm.detector.discriminator import Discriminator
from hdm.model_settings import DdmTrain

MIRRORINGS = ((3,), (2,), (2, 3))
"""Axes of (N, C, H, W) that are turned round."""


class Ensemble(nn.Module):
    """`ddm_train.members` discriminators; `hdm.ddm.discriminator_training.fit` trains them."""

    def __init__(self, channels: int, settings: DdmTrain) -> None:
        super().__init__()
        self.members = nn.ModuleList(Discriminator(channels, settings)
                                     for _ in range(settings.members))

    def forward(self, images: Tensor) -> Tensor:
        """Mean logits of (N, C, H, W): (N, 1, H, W)."""
        return torch.stack([member(images) for member in self.members]).mean(0)


def logits(network: nn.Module, images: Tensor, *, mirrored: bool) -> Tensor:
    """Of the images (N, C, H, W) or, `mirrored`, the mean of theirs and of their three mirrorings.

    What a network finds odd of a good layout that is rare is mostly found in one view of it;
    defects are found in all.
    """
    views = [network(images)]
    for axes in MIRRORINGS if mirrored else ():
        views.append(network(images.flip(axes)).flip(axes))
    return torch.stack(views).mean(0)
