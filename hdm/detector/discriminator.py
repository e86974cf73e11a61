"""The discriminator's network: what it is shown, and what it says."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hdm.backbone.lite0 import CHANNELS, STRIDES
from hdm.detector.window_means import window_means
from hdm.diffusion.unet import UNet
from hdm.model_settings import DdmTrain

DETAIL_GAIN = 3.0
INITIAL_LOGIT = -2.0


class Discriminator(nn.Module):
    """How likely is each pixel part of a defect?

    Shown: the image and its local contrast (the image minus its local mean) by the image's spread;
    and, `seeing`, what the frozen encoder makes of the image, each stage at its own stride.
    Coordinates are not shown: with them the network settles on where defects are likely, and needs
    hundreds of steps to look at the image.
    """

    def __init__(self, channels: int, settings: DdmTrain, *, seeing: bool) -> None:
        super().__init__()
        self.unet = UNet(2 * channels, 1, settings.network,
                         dict(zip(STRIDES, CHANNELS, strict=True)) if seeing else None)

    def forward(self, images: Tensor, stages: Sequence[Tensor] = ()) -> Tensor:
        """(N, C, H, W) in about [-1, 1], sides multiples of 16 if `seeing`, and the encoder's
        stages of them, if `seeing` -> logits (N, 1, H, W)."""
        # By each image's own spread: what lighting does to a whole image teaches nothing.
        spread = images.std((1, 2, 3), keepdim=True) + 0.05
        shown = torch.cat([images, DETAIL_GAIN * local_contrast(images) / spread], dim=1)
        logits: Tensor = self.unet(shown, stages)
        return logits.float() + INITIAL_LOGIT


def local_contrast(images: Tensor) -> Tensor:
    """Images minus their mean over an eighth of the shorter side, (N, C, H, W)."""
    return images - window_means(images, min(images.shape[-2:]) // 16)
