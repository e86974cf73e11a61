"""Discriminators that answer together.

Networks that learned from other starts and other draws are wrong about different good images and
agree on defects (deep ensembles, Lakshminarayanan et al. 2017). Where layouts never repeat, the
mean of their answers is better than any of them; elsewhere about as good (docs/experiments.md,
"Steps, members, a larger canvas").
"""

import torch
from torch import Tensor, nn

from hdm.detector.discriminator import Discriminator, Judgement
from hdm.model_settings import DdmTrain


class Ensemble(nn.Module):
    """`ddm_train.members` discriminators; `hdm.ddm.discriminator_training.fit` trains them."""

    def __init__(self, channels: int, settings: DdmTrain) -> None:
        super().__init__()
        self.members = nn.ModuleList(Discriminator(channels, settings)
                                     for _ in range(settings.members))

    def forward(self, z: Tensor, normal: Tensor | None, previous: Tensor, level: Tensor
                ) -> Judgement:
        """Mean normal image and logits, and every member's features, (N, members x D, h, w); for
        the arguments see `Discriminator`."""
        judged = [member(z, normal, previous, level) for member in self.members]
        return Judgement(torch.stack([one.normal for one in judged]).mean(0),
                         torch.stack([one.logits for one in judged]).mean(0),
                         torch.cat([one.context for one in judged], 1))
