"""How an image of a line becomes network input: canvas, channels and one value range."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.images import to_float


@dataclass(frozen=True)
class InputFormat:
    """How any image of a line becomes network input, measured once from its good images.

    height, width: canvas in px. channels: 1 or 3. low, high: the values in [0, 1] that are
    mapped to -1 and 1. fit: "resize" or "tile". scale: by which images are resized before they
    are tiled; 1 for native pixels.
    """

    height: int
    width: int
    channels: int
    low: float
    high: float
    fit: str
    scale: float = 1.0

    def normalize(self, image: np.ndarray) -> Tensor:
        """Native image (H, W) or (H, W, 3) -> float (channels, H, W), about [-1, 1]."""
        values = to_float(image)
        planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        if planes.shape[0] != self.channels:
            planes = planes.mean(0, keepdims=True) if self.channels == 1 else planes.repeat(3, 0)
        tensor = torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32))
        scaled = (tensor - self.low) * (2 / (self.high - self.low)) - 1
        return scaled.clamp(-3, 3)

    def to_canvas(self, image: np.ndarray) -> Tensor:
        """Native image -> (channels, height, width), the whole image at canvas size."""
        return resize(self.normalize(image)[None], (self.height, self.width))[0]

    def prepare(self, image: np.ndarray, zoom: float = 1.0) -> Tensor:
        """Native image -> what a detector judges: the canvas, or the image at `zoom` times the
        line's scale, to be tiled."""
        if self.fit == "resize":
            return self.to_canvas(image)
        height, width = (max(1, round(side * self.scale * zoom)) for side in image.shape[:2])
        return resize(self.normalize(image)[None], (height, width))[0]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, C, H, W) -> (N, C, *size), anti-aliased when shrinking."""
    if tuple(images.shape[-2:]) == size:
        return images
    return F.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
