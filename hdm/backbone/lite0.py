"""EfficientNet-Lite0 (Tan & Le 2019, the Lite variant of 2020) as far as its latents need it.

Seven stages of inverted bottlenecks (Sandler et al. 2018) without squeeze-and-excitation, so that a
convolutional graph is all there is to it; names of modules are those of the published weights.
"""

from itertools import chain

from torch import Tensor, nn
from torch.nn import functional as F

STEM = 32
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112))
"""Repeats, kernel, stride, expansion and channels; the last two of seven are not needed."""
TAKEN = (1, 2, 4)
"""Stages whose outputs are taken."""
STRIDES = (4, 8, 16)
"""Of these, in pixels of the image."""
CHANNELS = tuple(STAGES[stage][-1] for stage in TAKEN)
MEAN, SPREAD = 127.0, 128.0
"""Of values in 0 ... 255, as the weights were trained."""
EPSILON = 1e-3


class Lite0(nn.Module):
    """Images (N, 3, H, W) of values in 0 ... 255, sides multiples of 16 -> outputs of stage 2,
    (N, 24, H/4, W/4), stage 3, (N, 40, H/8, W/8), and stage 5, (N, 112, H/16, W/16)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConvolution(3, STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(STEM, eps=EPSILON)
        blocks: list[Block] = []
        self.ends: list[int] = []
        width = STEM
        for repeats, kernel, stride, expansion, channels in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(width, channels, kernel, 1 if repeat else stride, expansion))
                width = channels
            self.ends.append(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Outputs of the three stages."""
        x = F.relu6(self._bn0(self._conv_stem((images - MEAN) / SPREAD)))
        found = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in (self.ends[stage] for stage in TAKEN):
                found.append(x)
        return tuple(found)

    def load(self, published: dict[str, Tensor]) -> None:
        """Take the published weights, of which later stages and the classifier are left out."""
        own = {name for name, _ in chain(self.named_parameters(), self.named_buffers())}
        self.load_state_dict({k: v for k, v in published.items() if k in own})


class Block(nn.Module):
    """Expand, filter each channel, project; added to its input where shapes allow."""

    def __init__(self, width: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        self.expands, self.added = expansion != 1, stride == 1 and width == channels
        if self.expands:
            self._expand_conv = nn.Conv2d(width, inner, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inner, eps=EPSILON)
        self._depthwise_conv = SameConvolution(inner, inner, kernel, stride, groups=inner)
        self._bn1 = nn.BatchNorm2d(inner, eps=EPSILON)
        self._project_conv = nn.Conv2d(inner, channels, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(channels, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) -> (N, channels, h / stride, w / stride)."""
        out = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        out = F.relu6(self._bn1(self._depthwise_conv(out)))
        out = self._bn2(self._project_conv(out))
        return x + out if self.added else out


class SameConvolution(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding of sides that the stride divides: at stride 2
    one pixel less before than after."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, *,
                 groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        whole = kernel - stride
        self.margin = (whole // 2, whole - whole // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H / stride, W / stride)."""
        return super().forward(F.pad(x, self.margin))
