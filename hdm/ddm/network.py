"""The discriminator's network: what it is shown, and what it says."""

import torch
from torch import Tensor, nn

from hdm.config import Denoiser
from hdm.diffusion.unet import UNet


class Discriminator(nn.Module):
    """One reverse step's judgement: what normal looks like here, and how likely each pixel is not.

    Shown: the state z, the prior's normal appearance of z and its distance from z, the probability
    of the step before, and two coordinates (0 where tiles have no place). The image as first seen
    is not shown: beside a state of the training process it would give the mask away.
    """

    def __init__(self, channels: int, shape: Denoiser) -> None:
        super().__init__()
        self.channels = channels
        self.unet = UNet(2 * channels + 4, channels + 1, shape)

    def forward(self, z: Tensor, normal: Tensor, previous: Tensor, level: Tensor,
                coordinates: Tensor) -> tuple[Tensor, Tensor]:
        """z, normal (N, C, H, W); previous (N, 1, H, W) in [0, 1]; level (N,) in [0, 1], the
        anomaly's transparency b; coordinates (1, 2, H, W).

        Returns: estimated normal image (N, C, H, W) and mask logits (N, 1, H, W).
        """
        distance = (z - normal).abs().mean(1, keepdim=True)
        shown = torch.cat([z, normal, distance, previous,
                           coordinates.expand(len(z), -1, -1, -1)], dim=1)
        out = self.unet(shown.contiguous(memory_format=torch.channels_last), level).float()
        # The image is predicted as a correction of what is seen, so untrained means "all normal".
        return z + out[:, :self.channels], out[:, self.channels:] + INITIAL_LOGIT


INITIAL_LOGIT = -3.0


def coordinate_planes(height: int, width: int, *, meaningful: bool = True) -> Tensor:
    """Vertical and horizontal position in [-1, 1], (1, 2, H, W); zeros if it means nothing."""
    if not meaningful:
        return torch.zeros(1, 2, height, width)
    return torch.stack(torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width),
                                      indexing="ij"))[None]
