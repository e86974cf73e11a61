"""The U-Net that the discriminator and POM's probe share.

Convolution, batch normalisation, ReLU, and nothing else, behind a space-to-depth stem: on two CPU
cores it learns much sooner than residual blocks with group normalisation and a noise
embedding in every block (docs/experiments.md, "A plain network, and fresh samples"), and diffusers'
UNet2DModel, which starts at full resolution, costs an order of magnitude more for the same
receptive field.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hdm.model_settings import Denoiser


class UNet(nn.Module):
    """Image-to-image network.

    Args:
        in_channels, out_channels: image channels before the stem.
        shape: stem factor, widths and blocks a level.
        beside: stride -> channels of what else is known of the image, added at the level of that
            stride; where there is no such level it is not used.

    Forward: x (N, in_channels, H, W), zero-padded to multiples of `multiple`, and what `beside`
    names, (N, channels, H/stride, W/stride) each, in its order -> (N, out_channels, H, W). The
    output is zero before training.
    """

    def __init__(self, in_channels: int, out_channels: int, shape: Denoiser,
                 beside: Mapping[int, int] | None = None) -> None:
        super().__init__()
        self.stem = shape.stem
        self.multiple = shape.stem * 2 ** (len(shape.widths) - 1)
        widths, blocks = shape.widths, shape.blocks
        self.down, self.narrow, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        previous = in_channels * shape.stem**2
        for i, width in enumerate(widths):
            self.down.append(_stage(previous, width, blocks, stride=1 if i == 0 else 2))
            previous = width
        for i in reversed(range(len(widths) - 1)):
            self.narrow.append(nn.Sequential(nn.Conv2d(widths[i + 1], widths[i], 1, bias=False),
                                             nn.BatchNorm2d(widths[i])))
            self.up.append(_stage(widths[i], widths[i], blocks))
        levels = {shape.stem * 2**i: width for i, width in enumerate(widths)}
        self.strides = tuple(beside or ())
        self.beside = nn.ModuleDict({
            str(stride): nn.Sequential(nn.BatchNorm2d(channels, affine=False),
                                       nn.Conv2d(channels, levels[stride], 1, bias=False),
                                       nn.BatchNorm2d(levels[stride]))
            for stride, channels in (beside or {}).items() if stride in levels})
        self.head = nn.Conv2d(widths[0], out_channels * shape.stem**2, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, beside: Sequence[Tensor] = ()) -> Tensor:
        """See the class."""
        height, width = x.shape[-2:]
        beyond = (0, -width % self.multiple, 0, -height % self.multiple)
        h = F.pixel_unshuffle(F.pad(x, beyond) if any(beyond) else x, self.stem)
        h = h.contiguous(memory_format=torch.channels_last)
        known = dict(zip(self.strides, beside, strict=True))
        skips = []
        for i, stage in enumerate(self.down):
            h, stride = stage(h), self.stem * 2**i
            if str(stride) in self.beside:
                h = h + _padded(self.beside[str(stride)](known[stride]), h)
            skips.append(h)
        h = skips.pop()
        for narrow, stage in zip(self.narrow, self.up, strict=True):
            # Narrowed before it is enlarged, and added: beside the skip it would cost three times
            # as much (docs/experiments.md, "A plain network, and fresh samples").
            h = stage(F.interpolate(narrow(h), scale_factor=2.0, mode="nearest") + skips.pop())
        return F.pixel_shuffle(self.head(h), self.stem)[..., :height, :width]


def _padded(x: Tensor, like: Tensor) -> Tensor:
    """As large as `like`, which may have been padded."""
    beyond = (0, like.shape[-1] - x.shape[-1], 0, like.shape[-2] - x.shape[-2])
    return F.pad(x, beyond) if any(beyond) else x


def _stage(in_width: int, out_width: int, blocks: int, stride: int = 1) -> nn.Sequential:
    """`blocks` convolutions, each normalised; the first one takes the stride."""
    layers: list[nn.Module] = []
    for i in range(blocks):
        layers += [nn.Conv2d(in_width if i == 0 else out_width, out_width, 3,
                             stride=stride if i == 0 else 1, padding=1, bias=False),
                   nn.BatchNorm2d(out_width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)

