"""Discriminators that answer together.

Networks that learned from other starts and other draws are wrong about different good images and
agree on defects (deep ensembles, Lakshminarayanan et al. 2017). Where layouts never repeat, the
mean of their answers is better than any of them; elsewhere about as good (docs/experiments.md,
"Steps, members, a larger canvas").
"""

from collections.abc import Callable, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from hdm.detector.discriminator import Discriminator
from hdm.model_settings import DdmTrain

Look = Callable[[Tensor], Sequence[Tensor]]
"""Images (N, C, H, W) -> the frozen encoder's stages of them, or nothing."""
MIRRORINGS = ((3,), (2,), (2, 3))
"""Axes of (N, C, H, W) that are turned round."""


class Ensemble(nn.Module):
    """`ddm_train.members` discriminators; `hdm.ddm.discriminator_training.fit` trains them.
    seeing: they are shown the frozen encoder's stages, too."""

    def __init__(self, channels: int, settings: DdmTrain, *, seeing: bool) -> None:
        super().__init__()
        self.seeing = seeing
        self.members = nn.ModuleList(Discriminator(channels, settings, seeing=seeing)
                                     for _ in range(settings.members))

    def forward(self, images: Tensor, stages: Sequence[Tensor] = ()) -> Tensor:
        """Mean logits of (N, C, H, W), and of the encoder's stages of them: (N, 1, H, W)."""
        return torch.stack([member(images, stages) for member in self.members]).mean(0)

    @classmethod
    def of(cls, weights: dict[str, Tensor], channels: int, settings: DdmTrain) -> Self:
        """With the weights of `state_dict`; raises RuntimeError if they do not fit."""
        made = cls(channels, settings, seeing=any(".beside." in name for name in weights))
        made.load_state_dict(weights)
        return made


def blind(images: Tensor) -> Sequence[Tensor]:
    """The `Look` of those that are shown the image alone."""
    return ()


def logits(network: nn.Module, images: Tensor, look: Look, *, mirrored: bool) -> Tensor:
    """Of the images (N, C, H, W) or, `mirrored`, the mean of theirs and of their three mirrorings.

    What a network finds odd of a good layout that is rare is mostly found in one view of it;
    defects are found in all.
    """
    views = [network(images, look(images))]
    for axes in MIRRORINGS if mirrored else ():
        turned = images.flip(axes)
        views.append(network(turned, look(turned)).flip(axes))
    return torch.stack(views).mean(0)
