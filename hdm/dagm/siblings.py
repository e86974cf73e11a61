"""Siblings: fresh draws of an approved sample's recipe.

A bank of a thousand samples is learned by heart within a thousand steps (docs/experiments.md, "A
plain network, and fresh samples"). What POM approved is a recipe as much as an image: this source
of content, this family of masks, this strength. A sibling is the same recipe on another good image,
with another mask and content.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hdm.dagm.bank import SampleBank, ignored_of
from hdm.dagm.blending import VISIBLE_PIXELS, blend, visible_change
from hdm.dagm.foreground import foregrounds
from hdm.dagm.mask_codes import CHANGED
from hdm.dagm.masks import draw_mask
from hdm.dagm.sources import SOURCES

ATTEMPTS = 4


class Siblings:
    """Draws siblings of a bank's samples on the good images `normals` (N, C, H, W), in which the
    bases of the samples that are asked for count; ignored (N, H, W) bool is not inspected."""

    def __init__(self, bank: SampleBank, normals: Tensor, ignored: Tensor | None = None) -> None:
        self.bank, self.normals = bank, normals
        self.fronts = foregrounds(normals)
        self.ignored = ignored_of(ignored, len(normals))
        self.visible = [visible_change(normal, hidden) for normal, hidden
                        in zip(normals.numpy(), self.ignored, strict=True)]
        self.recipes = bank.table[["source", "family", "strength"]].to_dict(
            "records")

    def draw(self, row: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A sibling of row `row`: changed image (C, H, W), label uint8 (H, W).

        What cannot be seen is drawn again, a few times at most.
        """
        recipe, size = self.recipes[row], (self.normals.shape[2], self.normals.shape[3])
        for _ in range(ATTEMPTS):
            base, content = self._content(recipe, rng)
            normal = self.normals[base].numpy()
            hidden = self.ignored[base]
            _, mask = draw_mask(rng, size, self.fronts[base], recipe["family"], hidden)
            image, label, _ = blend(normal, content, mask, recipe["strength"],
                                    rng.uniform(0, 1.2), self.visible[base], hidden)
            if (label == CHANGED).sum() >= VISIBLE_PIXELS:
                break
        return torch.from_numpy(image), torch.from_numpy(label)

    def _content(self, recipe: dict[str, Any], rng: np.random.Generator) -> tuple[int, np.ndarray]:
        """Row of a good image, and what is to appear on it."""
        base, other = rng.integers(len(self.normals), size=2)
        return int(base), SOURCES[recipe["source"]](rng, self.normals[base].numpy(),
                                                    self.normals[other].numpy())
