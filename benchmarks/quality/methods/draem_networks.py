"""DRAEM's two networks (Zavrtanik et al. 2021): one restores the image, the other compares."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ENCODER = (1, 2, 4, 8, 8)
"""Widths of the reconstructive encoder's levels, in units of its base."""
UNET = (1, 2, 4, 8, 8, 8)
"""Widths of the discriminative U-Net's levels, in units of its base."""


class Draem(nn.Module):
    """Images (N, C, H, W) in about [0, 1] -> reconstruction like them, logits (N, 2, H, W).

    Sides are padded to multiples of 32 by mirroring.
    """

    def __init__(self, channels: int, reconstructive: int, discriminative: int) -> None:
        super().__init__()
        self.restore = Autoencoder(channels, reconstructive)
        self.compare = Comparator(2 * channels, discriminative)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, 0.02)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        height, width = images.shape[-2:]
        multiple = 2 ** (len(UNET) - 1)
        beyond = (0, -width % multiple, 0, -height % multiple)
        seen = F.pad(images, beyond, mode="reflect") if any(beyond) else images
        restored = self.restore(seen)
        logits = self.compare(torch.cat([restored, seen], dim=1))
        return restored[..., :height, :width], logits[..., :height, :width]


class Autoencoder(nn.Module):
    """Encoder and decoder without shortcuts: a defect has no way round the narrow middle."""

    def __init__(self, channels: int, base: int) -> None:
        super().__init__()
        widths = [base * share for share in ENCODER]
        down: list[nn.Module] = [_double(channels, widths[0])]
        for before, after in pairwise(widths):
            down += [nn.MaxPool2d(2), _double(before, after)]
        up: list[nn.Module] = []
        for before, after in pairwise(widths[::-1]):
            up += [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
                   _single(before, before), _double(before, after)]
        self.layers = nn.Sequential(*down, *up, nn.Conv2d(widths[0], channels, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return self.layers(images)


class Comparator(nn.Module):
    """A U-Net over image and reconstruction side by side."""

    def __init__(self, channels: int, base: int) -> None:
        super().__init__()
        widths = [base * share for share in UNET]
        self.down, self.grow, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for before, after in pairwise([channels, *widths]):
            self.down.append(_double(before, after))
        for before, after in pairwise(widths[::-1]):
            self.grow.append(nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
                _single(before, after)))
            self.up.append(_double(2 * after, after))
        self.leave = nn.Conv2d(widths[0], 2, 3, padding=1)

    def forward(self, both: Tensor) -> Tensor:
        """(N, 2 C, H, W) -> logits of normal and defect (N, 2, H, W)."""
        skips: list[Tensor] = []
        h = both
        for level, stage in enumerate(self.down):
            h = stage(F.max_pool2d(h, 2) if level else h)
            skips.append(h)
        for level, (grow, stage) in enumerate(zip(self.grow, self.up, strict=True)):
            h = stage(torch.cat([grow(h), skips[-2 - level]], dim=1))
        return self.leave(h)


def _single(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


def _double(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(*_single(before, after), *_single(after, after))
