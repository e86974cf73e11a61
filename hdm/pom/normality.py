"""POM in the discrimination phase: how unlike a good part is this part, and where?

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

from hdm.errors import HDMError
from hdm.files import atomic_file
from hdm.pom.memory import Memory
from hdm.pom.scoring import Evidence, Expected, canvas_of, moments, scan, standard
from hdm.pom.texture import AT_ONCE, CELL, Texture, excess


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

    @classmethod
    def fit(cls, images: Tensor, logits: Tensor, context: Tensor, posed: Tensor | None) -> Self:
        """From N good images (N, C, H, W), and the discriminator's logits (N, 1, H, W) and context
        (N, D, h, w) of them.

        posed: the same images in other poses that are as good, so that texture does not take a part
        that lies a little elsewhere for a defect; None where a place means nothing, or the logits
        are to count alone. Layouts that never repeat cannot be remembered, either.

        An image's own part in what is known of good ones does not count in moments.
        """
        memory, texture = None, None
        distances, strange = torch.zeros(1), torch.zeros(len(images), 1, 1, 1)
        if posed is not None:
            memory, distances = Memory.fit(context)
            texture, strange = Texture.fit(torch.cat([images, posed])), _unseen(images, posed)
        logit, place = moments(logits), moments(strange)
        pixels = _pixels(logits, logit, strange[:len(images)] if texture else None, place)
        pixel = moments(pixels)
        windows = moments(scan(pixels, canvas_of(images), pixel))
        return cls(memory, texture, logit, place, pixel, windows, moments(excess(strange)),
                   moments(distances))

    def evidence(self, images: Tensor, logits: Tensor, context: Tensor) -> Evidence:
        """Of N images, as in `fit`."""
        strange, oddness = None, torch.zeros_like(logits[:, 0, 0, 0])
        if self.memory and self.texture:
            strange = self.texture.distance(images)
            oddness = standard(self.memory.distance(context), self.distance) \
                + standard(excess(strange), self.excess)
        pixels = _pixels(logits, self.logit, strange, self.place)
        return Evidence(standard(pixels, self.windows[:, 0]), oddness, canvas_of(images),
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


def _unseen(images: Tensor, posed: Tensor) -> Tensor:
    """Distances of texture of both, each half of the images by what is known of the other half."""
    both = torch.cat([images, posed])
    found = torch.empty(len(both), 1, *(side // CELL for side in both.shape[-2:]))
    half = (torch.arange(len(images)) % 2 == 0).repeat(2)
    for known in (half, ~half):
        judge = Texture.fit(both[known if known.any() else ~known])
        parts = both[~known].split(AT_ONCE)
        found[~known] = torch.cat([judge.distance(part) for part in parts])
    return found


def _pixels(logits: Tensor, logit: Tensor, strange: Tensor | None, place: Tensor) -> Tensor:
    pixels = standard(logits, logit)
    if strange is None:
        return pixels
    return pixels + F.interpolate(standard(strange, place), scale_factor=float(CELL),
                                  mode="bilinear", align_corners=False)

