"""How an image of a line becomes network input: canvas, channels and one value range."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.ignore_mask import (
    Ignored,
    IgnoreMask,
    filled,
    from_text,
    ignored_pixels,
    reflection,
    touched,
)
from hdm.dataset.images import to_float

ENCODER_MULTIPLE = 16


@dataclass(frozen=True)
class InputFormat:
    """How any image of a line becomes network input, measured once from its good images.

    height, width: canvas in px. channels: 1 or 3. low, high: the values in [0, 1] that are
    mapped to -1 and 1. fit: "resize" or "tile". scale: by which images are resized before they
    are tiled; 1 for native pixels. detail: sides of what the encoder sees, in those of what the
    discriminator sees. ignored: the line's ignore mask as text; empty where all is inspected.

    What is ignored is filled first of all, in the native image, so that nothing depends on it. Then
    an image is *prepared* once, at the finer of both sizes, and shrunk for the other; there what
    surrounds an ignored place goes on in it.
    """

    height: int
    width: int
    channels: int
    low: float
    high: float
    fit: str
    scale: float = 1.0
    detail: float = 1.0
    ignored: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError if `ignored` is no mask."""
        if self.ignored:
            from_text(self.ignored)

    @property
    def ignore_mask(self) -> IgnoreMask | None:
        """Where nothing is inspected; None where all is."""
        return from_text(self.ignored) if self.ignored else None

    def ignored_pixels(self, height: int, width: int) -> np.ndarray | None:
        """Of a native image of that size: (H, W) bool, true where it is not inspected."""
        return ignored_pixels(self.ignored, height, width)

    def ignored_at(self, height: int, width: int) -> Ignored | None:
        """Of a map of that size of a whole image; None where all is inspected."""
        return _at(self.ignored, height, width) if self.ignored else None

    @property
    def finer(self) -> float:
        """Sides of a prepared image, in those of what the discriminator sees."""
        return max(1.0, self.detail)

    def normalize(self, image: np.ndarray) -> Tensor:
        """Native image (H, W) or (H, W, 3) -> float (channels, H, W), about [-1, 1], what is
        ignored filled."""
        values = to_float(image)
        planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        if planes.shape[0] != self.channels:
            planes = planes.mean(0, keepdims=True) if self.channels == 1 else planes.repeat(3, 0)
        tensor = torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32))
        scaled = (tensor - self.low) * (2 / (self.high - self.low)) - 1
        limited = scaled.clamp(-3, 3)
        return filled(limited, touched(self.ignored, *image.shape[:2])) if self.ignored \
            else limited

    def to_canvas(self, image: np.ndarray) -> Tensor:
        """Native image -> (channels, height, width), the whole image at canvas size."""
        return resize(self.normalize(image)[None], (self.height, self.width))[0]

    def prepare(self, image: np.ndarray, zoom: float = 1.0) -> Tensor:
        """Native image -> what a detector judges: the whole image, or the image at `zoom` times
        the line's scale, to be tiled; (channels, H, W)."""
        size = self.prepared_size if self.fit == "resize" else \
            self.prepared_size_of(image.shape[0], image.shape[1], zoom)
        prepared = resize(self.normalize(image)[None], size)
        return self.continued(prepared)[0]

    def continued(self, prepared: Tensor) -> Tensor:
        """Prepared images (N, C, H, W) in whose ignored places goes on what surrounds them."""
        if not self.ignored:
            return prepared
        numbers = reflection(self.ignored, *prepared.shape[-2:])
        return prepared.flatten(2)[:, :, numbers].view(prepared.shape)

    @property
    def prepared_size(self) -> tuple[int, int]:
        """Of every prepared image where whole images are judged."""
        if self.detail <= 1:
            return self.height, self.width
        return encoder_size(self.height * self.detail, self.width * self.detail)

    def prepared_size_of(self, height: int, width: int, zoom: float = 1.0) -> tuple[int, int]:
        """Of a prepared native image of that size, to be tiled."""
        factor = self.scale * zoom * self.finer
        return max(1, round(height * factor)), max(1, round(width * factor))

    def seen_size_of(self, height: int, width: int) -> tuple[int, int]:
        """Of what the discriminator sees of a prepared image of that size."""
        if self.fit == "resize":
            return self.height, self.width
        return max(1, round(height / self.finer)), max(1, round(width / self.finer))

    def encoder_size_of(self, height: int, width: int) -> tuple[int, int]:
        """Of what the encoder sees of a prepared image of that size; multiples of 16."""
        if self.fit == "resize":
            return encoder_size(self.height * self.detail, self.width * self.detail)
        share = self.detail / self.finer
        return encoder_size(height * share, width * share)

    def for_discriminator(self, images: Tensor) -> Tensor:
        """Prepared images (N, C, H, W) as the discriminator sees them: canvases, or larger images
        to be tiled."""
        return resize(images, self.seen_size_of(*images.shape[-2:]))

    def for_encoder(self, images: Tensor) -> Tensor:
        """Prepared images (N, C, H, W) as the encoder sees them: sides are multiples of 16."""
        return resize(images, self.encoder_size_of(*images.shape[-2:]))

    def canvas_for_encoder(self, canvases: Tensor) -> Tensor:
        """Canvases (N, C, height, width) as the encoder sees that much of a part, enlarged."""
        return resize(canvases, encoder_size(canvases.shape[-2] * self.detail,
                                             canvases.shape[-1] * self.detail))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@lru_cache(16)
def _at(text: str, height: int, width: int) -> Ignored | None:
    pixels = from_text(text).whole(height, width)
    return Ignored.of(pixels) if pixels.any() else None


def encoder_size(height: float, width: float) -> tuple[int, int]:
    """The nearest sides that the encoder takes."""
    return (max(2, round(height / ENCODER_MULTIPLE)) * ENCODER_MULTIPLE,
            max(2, round(width / ENCODER_MULTIPLE)) * ENCODER_MULTIPLE)


def resize(images: Tensor, size: tuple[int, ...]) -> Tensor:
    """(N, C, H, W) -> (N, C, *size), anti-aliased when shrinking."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
