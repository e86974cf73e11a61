"""The discriminator's network: what it is shown, and what it says."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hdm.detector.window_means import window_means
from hdm.diffusion.unet import UNet
from hdm.model_settings import DdmTrain

DETAIL_GAIN = 3.0
INITIAL_LOGIT = -2.0


class Judgement(NamedTuple):
    """normal: estimated normal image (N, C, H, W). logits: of the mask, (N, 1, H, W). context:
    features of the network's first stage on its way up, (N, D, h, w)."""

    normal: Tensor
    logits: Tensor
    context: Tensor


class Discriminator(nn.Module):
    """One reverse step's judgement: what normal looks like here, and how likely each pixel is not.

    Shown: the state z and its local contrast (z minus its local mean) by the image's spread; in a
    process of several steps the probability of the step before; and, if the prior is asked, the
    distance of z from the prior's normal appearance. The image as first seen is not shown: beside
    a state of the training process it would give the mask away. Coordinates are not shown: with
    them the network settles on where defects are likely, and needs hundreds of steps to look at
    the image.
    """

    def __init__(self, channels: int, settings: DdmTrain) -> None:
        super().__init__()
        self.channels, self.stepwise = channels, settings.reverse_steps > 1
        asked = settings.prior_level is not None
        planes = 2 * channels + self.stepwise + 2 * channels * asked
        self.unet = UNet(planes, channels + 1, settings.network, levelled=self.stepwise)

    def forward(self, z: Tensor, normal: Tensor | None, previous: Tensor, level: Tensor
                ) -> Judgement:
        """z, normal (N, C, H, W); previous (N, 1, H, W) in [0, 1]; level (N,) in [0, 1], the
        anomaly's transparency b. normal is None without a prior."""
        # By each image's own spread: what lighting does to a whole image teaches nothing.
        spread = z.std((1, 2, 3), keepdim=True) + 0.05
        shown = [z, DETAIL_GAIN * local_contrast(z) / spread]
        if self.stepwise:
            shown.append(previous)
        if normal is not None:
            shown += [DETAIL_GAIN * (z - normal), DETAIL_GAIN * (z - normal).abs()]
        told = level if self.stepwise else None
        features, context = self.unet.features(torch.cat(shown, dim=1), told)
        out = self.unet.answer(features, z).float()
        # The image is predicted as a correction of what is seen, so untrained means "all normal".
        return Judgement(z + out[:, :self.channels], out[:, self.channels:] + INITIAL_LOGIT,
                         context)


def local_contrast(images: Tensor) -> Tensor:
    """Images minus their mean over an eighth of the shorter side, (N, C, H, W)."""
    return images - window_means(images, min(images.shape[-2:]) // 16)
