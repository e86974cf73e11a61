"""The U-Net that the normal prior and the discriminator share.

A space-to-depth stem trades resolution for channels before the first convolution, which is what
makes training on two CPU cores possible: diffusers' UNet2DModel starts at full resolution and
costs an order of magnitude more for the same receptive field.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hdm.config import Denoiser

GROUP_CHANNELS = 8


class UNet(nn.Module):
    """Image-to-image network conditioned on a noise level.

    Args:
        in_channels, out_channels: image channels before the stem.
        shape: stem factor, widths and blocks a level.

    Forward: x (N, in_channels, H, W), zero-padded to multiples of `multiple`, level (N,) in [0, 1]
    -> (N, out_channels, H, W). The output is zero before training.
    """

    def __init__(self, in_channels: int, out_channels: int, shape: Denoiser) -> None:
        super().__init__()
        self.stem = shape.stem
        self.multiple = shape.stem * 2 ** (len(shape.widths) - 1)
        widths, embedding = shape.widths, 4 * shape.widths[0]
        self.embed = nn.Sequential(
            nn.Linear(widths[0], embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.enter = nn.Conv2d(in_channels * shape.stem**2, widths[0], 3, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(widths):
            self.down.append(_stage(width, width, embedding, shape.blocks))
            if i + 1 < len(widths):
                self.shrink.append(nn.Conv2d(width, widths[i + 1], 3, stride=2, padding=1))
                self.grow.append(nn.Conv2d(widths[i + 1], width, 3, padding=1))
                self.up.append(_stage(2 * width, width, embedding, shape.blocks))
        self.leave = nn.Sequential(
            nn.GroupNorm(widths[0] // GROUP_CHANNELS, widths[0]), nn.SiLU(),
            _zero(nn.Conv2d(widths[0], out_channels * shape.stem**2, 3, padding=1)))

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """See the class."""
        condition = self.embed(_fourier(level, self.embed[0].in_features).to(x.dtype))
        height, width = x.shape[-2:]
        beyond = (0, -width % self.multiple, 0, -height % self.multiple)
        h = self.enter(F.pixel_unshuffle(F.pad(x, beyond) if any(beyond) else x, self.stem))
        skips = []
        for i, stage in enumerate(self.down):
            for block in stage:
                h = block(h, condition)
            if i < len(self.shrink):
                skips.append(h)
                h = self.shrink[i](h)
        for i in reversed(range(len(self.up))):
            h = self.grow[i](F.interpolate(h, scale_factor=2.0, mode="nearest"))
            h = torch.cat([h, skips[i]], dim=1)
            for block in self.up[i]:
                h = block(h, condition)
        return F.pixel_shuffle(self.leave(h), self.stem)[..., :height, :width]


class ResidualBlock(nn.Module):
    """Two convolutions whose second normalisation is scaled and shifted by the noise level."""

    def __init__(self, in_width: int, out_width: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(in_width // GROUP_CHANNELS, in_width), nn.SiLU(),
            nn.Conv2d(in_width, out_width, 3, padding=1))
        self.film = nn.Linear(embedding, 2 * out_width)
        self.norm = nn.GroupNorm(out_width // GROUP_CHANNELS, out_width)
        self.second = _zero(nn.Conv2d(out_width, out_width, 3, padding=1))
        self.skip = nn.Identity() if in_width == out_width else nn.Conv2d(in_width, out_width, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x (N, in_width, h, w), condition (N, embedding) -> (N, out_width, h, w)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        h = self.norm(self.first(x)) * (1 + scale) + shift
        return self.skip(x) + self.second(F.silu(h))


def _stage(in_width: int, out_width: int, embedding: int, blocks: int) -> nn.ModuleList:
    return nn.ModuleList(
        ResidualBlock(in_width if i == 0 else out_width, out_width, embedding)
        for i in range(blocks))


def _fourier(level: Tensor, size: int) -> Tensor:
    """Sinusoidal embedding of `level` in [0, 1] -> (N, size)."""
    frequencies = torch.exp(torch.linspace(0, math.log(1000.0), size // 2, device=level.device))
    angles = level[:, None].float() * frequencies[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
