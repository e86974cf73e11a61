"""From prepared images to evidence of a defect: DDM's answer joined with what is normal."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hdm.dataset.tiles import over_tiles
from hdm.detector.ddm import DDM
from hdm.detector.evidence import Evidence
from hdm.detector.normality import Normality

BATCH = 32


class Scorer:
    """Joins what the discriminators say with what POM knows of good images."""

    def __init__(self, ddm: DDM, normality: Normality) -> None:
        self.ddm, self.normality = ddm, normality

    def evidence(self, canvas: Tensor) -> Evidence:
        """Evidence of a defect in canvas-size images (N, C, h, w)."""
        parts = [self._evidence(part) for part in canvas.split(BATCH)]
        return parts[0]._replace(pixels=torch.cat([part.pixels for part in parts]),
                                 image_level=torch.cat([part.image_level for part in parts]))

    def _evidence(self, canvas: Tensor) -> Evidence:
        judged = self.ddm.judge(canvas)
        return self.normality.evidence(canvas.cpu(), judged.logits, judged.context)

    def inspect(self, images: Sequence[Tensor]) -> list[Evidence]:
        """`evidence` of each of the images (C, H, W) as `InputFormat.prepare` gives them.

        Canvases are judged together, native images tile by tile.
        """
        if self.ddm.form.fit == "resize":
            found = self.evidence(torch.stack(list(images)))
            return [found._replace(pixels=pixels, image_level=image_level) for pixels, image_level
                    in zip(found.pixels.split(1), found.image_level.split(1), strict=True)]
        return [self._over_tiles(image[None]) for image in images]

    def _over_tiles(self, image: Tensor) -> Evidence:
        tile = (self.ddm.form.height, self.ddm.form.width)
        pixels = over_tiles(image, tile, lambda tiles: self.evidence(tiles).pixels)
        return Evidence(pixels, torch.zeros(1), tile, self.normality.expected)
