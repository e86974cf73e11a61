"""How unlike a good part is this part, and where?

Three kinds of evidence that fail on different images are joined, each in deviations of good images
and none of them weighted by hand: the discriminator's logits (where are its synthetic defects?),
texture at its place (what is rare here?), and remembered features (what is like no good part?).
Independent evidence adds. The last kind is coarse and says little of where, so it counts for the
image alone.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from hdm.detector.evidence import Evidence, Expected, canvas_of, standard
from hdm.detector.memory import Memory
from hdm.detector.texture import CELL, Texture, excess
from hdm.errors import HDMError
from hdm.files import atomic_file


@dataclass(frozen=True)
class Normality:
    """What good images look like to HDM.

    memory and texture are None where a place means nothing, as with tiles, or nobody wants them:
    there logits alone count. All else is a mean and a deviation over good images, (2,): of single
    logits; of a place's distance in texture; of both together at single pixels; of the excess of
    texture; and of the distance to what is remembered. windows: (2, W), of what the scan by windows
    of W sizes finds in an image.
    """

    memory: Memory | None
    texture: Texture | None
    logit: Tensor
    place: Tensor
    pixel: Tensor
    windows: Tensor
    excess: Tensor
    distance: Tensor

    def evidence(self, images: Tensor, logits: Tensor, context: Tensor) -> Evidence:
        """Of N images (N, C, H, W), and of the discriminator's logits (N, 1, H, W) and context
        (N, D, h, w) of them."""
        rarity, image_level = None, torch.zeros_like(logits[:, 0, 0, 0])
        if self.memory and self.texture:
            rarity = self.texture.distance(images)
            image_level = standard(self.memory.distance(context), self.distance) \
                + standard(excess(rarity), self.excess)
        pixels = joined_pixels(logits, self.logit, rarity, self.place)
        return Evidence(standard(pixels, self.windows[:, 0]), image_level, canvas_of(images),
                        self.expected)

    @property
    def expected(self) -> Expected:
        """In the unit of evidence, a deviation of the smallest window: it is nearest to a pixel."""
        unit = self.windows[:, 0]
        windows = torch.cat([torch.tensor([[0.0], [1.0]]), self.windows[:, 1:]], 1)
        return Expected(torch.stack([standard(self.pixel[0], unit), self.pixel[1] / unit[1]]),
                        windows)

    def save(self, file: Path) -> None:
        """Write a safetensors file."""
        content = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                content[field.name] = value
            elif value is not None:
                content |= {f"{field.name}.{part.name}": getattr(value, part.name)
                            for part in fields(value)}
        with atomic_file(file) as temporary:
            temporary.write_bytes(save({k: v.contiguous() for k, v in content.items()}))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote; raises HDMError if it is missing or damaged."""
        try:
            content = load_file(file)
            memory = Memory(**found) if (found := _under("memory", content)) else None
            texture = Texture(**found) if (found := _under("texture", content)) else None
            return cls(memory, texture, **{k: v for k, v in content.items() if "." not in k})
        except Exception as error:
            raise HDMError(f"{file} cannot be read ({str(error).splitlines()[0]}); restore it "
                           "with `dvc checkout` or run ddm_train again.") from error


def _under(name: str, content: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of what a file holds, the part called `name`."""
    return {k.removeprefix(f"{name}."): v for k, v in content.items() if k.startswith(f"{name}.")}


def joined_pixels(logits: Tensor, logit: Tensor, rarity: Tensor | None, place: Tensor) -> Tensor:
    """Logits and distances of texture, each by its moments on good images, added up at each pixel,
    (N, 1, H, W)."""
    pixels = standard(logits, logit)
    if rarity is None:
        return pixels
    return pixels + F.interpolate(standard(rarity, place), scale_factor=float(CELL),
                                  mode="bilinear", align_corners=False)

