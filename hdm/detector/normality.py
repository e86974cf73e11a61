"""What the discriminators say, beside what texture is rare at its place.

Two kinds of evidence on the discriminator's canvas that fail on different images, each in
deviations of good images and none weighted by hand: logits (where are synthetic defects?) and
texture (what is rare here?).
"""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.detector.evidence import standard
from hdm.detector.texture import CELL, Texture
from hdm.files import below


@dataclass(frozen=True)
class Normality:
    """What good images look like on the canvas.

    texture is None where a place means nothing, as with tiles, or nobody wants it: there logits
    alone count. logit, place: mean and deviation over good images, (2,), of single logits and of a
    place's distance in texture.
    """

    texture: Texture | None
    logit: Tensor
    place: Tensor

    def joined(self, canvas: Tensor, logits: Tensor) -> Tensor:
        """Evidence at each pixel of N canvases (N, C, H, W) from their logits (N, 1, H, W)."""
        return self.kinds(canvas, logits).sum(1, keepdim=True)

    def kinds(self, canvas: Tensor, logits: Tensor) -> Tensor:
        """Logits and texture, each in deviations of good images: (N, 2, H, W); the second is 0
        where texture does not count."""
        taught = standard(logits, self.logit)
        if self.texture is None:
            return torch.cat([taught, torch.zeros_like(taught)], 1)
        rarity = standard(self.texture.distance(canvas), self.place)
        return torch.cat([taught, F.interpolate(rarity, scale_factor=float(CELL), mode="bilinear",
                                                align_corners=False)], 1)

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name."""
        own = {"logit": self.logit, "place": self.place}
        if self.texture is not None:
            own |= {f"texture.{field.name}": tensor for field in fields(self.texture)
                    if (tensor := getattr(self.texture, field.name)) is not None}
        return own

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> Self:
        """The inverse of `tensors`."""
        texture = below(tensors, "texture.")
        return cls(Texture(**texture) if texture else None, tensors["logit"], tensors["place"])

