"""Discriminators that answer together.

Networks that learned from other starts and other draws are wrong about different good images and
agree on defects (deep ensembles, Lakshminarayanan et al. 2017). Where layouts never repeat, the
mean of their answers is better than any of them; elsewhere about as good (docs/experiments.md,
"Steps, members, a larger canvas").
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from hdm.detector.discriminator import Discriminator
from hdm.model_settings import DdmTrain

Look = Callable[[Tensor], Sequence[Tensor]]
"""Images (N, C, H, W) -> the frozen encoder's stages of them; nothing without a backbone."""
MIRRORINGS = ((3,), (2,), (2, 3))
"""Axes of (N, C, H, W) that are turned round."""


class Ensemble(nn.Module):
    """`ddm_train.members` discriminators; `hdm.ddm.discriminator_training.fit` trains them."""

    def __init__(self, channels: int, settings: DdmTrain, *, seeing: bool) -> None:
        super().__init__()
        self.members = nn.ModuleList(Discriminator(channels, settings, seeing=seeing)
                                     for _ in range(settings.members))

    def forward(self, images: Tensor, stages: Sequence[Tensor] = ()) -> Tensor:
        """Mean logits of (N, C, H, W), and of the encoder's stages of them: (N, 1, H, W)."""
        return torch.stack([member(images, stages) for member in self.members]).mean(0)


def blind(images: Tensor) -> Sequence[Tensor]:
    """A `Look` without a backbone."""
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
