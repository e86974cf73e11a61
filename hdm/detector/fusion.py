"""POM joins the evidences: each in units of what it shouts about good images.

Kinds of evidence differ in their tails. A discriminator is silent about most of a good image and
now and then certain of a spot; a diffusion is a little surprised everywhere. In deviations of
single pixels the first would be heard alone. So a map's unit is the deviation, from one held-out
good image to another, of the mean of its oddest pixels: what tells a good image from another good
one by chance weighs nothing more. Then evidence of independent witnesses adds.
"""

from dataclasses import dataclass, fields
from typing import Self

from torch import Tensor

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.evidence import Evidence, scan, standard, worst


@dataclass(frozen=True)
class Fusion:
    """centre: mean of each kind's map over pixels of held-out good images, (K, 1, 1); (K, H, W)
    where images are judged whole beside what is ignored, with what good ones show there. unit (K,):
    the unit above. weight (K,): sums to 1. pixel (2,): moments of joined evidence at their single
    pixels. expected (2, S): of what an image's score is made of, one figure of whole images and
    three of those that are judged by tiles."""

    centre: Tensor
    unit: Tensor
    weight: Tensor
    pixel: Tensor
    expected: Tensor

    def pixels(self, maps: Tensor) -> Tensor:
        """Maps of K kinds (N, K, H, W) -> joined evidence (N, 1, H, W)."""
        shape = (1, -1, 1, 1)
        joined = (maps - self.centre) / self.unit.view(shape)
        return (joined * self.weight.view(shape)).sum(1, keepdim=True)

    def statistics(self, pixels: Tensor, canvas: tuple[int, int],
                   ignored: Ignored | None = None) -> Tensor:
        """What the scores of N images are made of, (N, S)."""
        tiled = self.expected.shape[1] > 1
        return scan(pixels, canvas, self.pixel, ignored) if tiled else \
            worst(pixels, ignored=ignored)[:, None]

    def evidence(self, maps: Tensor, canvas: tuple[int, int], ignored: Ignored | None = None
                 ) -> Evidence:
        """Joined maps, and scores in deviations of those of held-out good images. What is
        `ignored` has no part in a score, and in a map repeats what is beside it."""
        pixels = self.pixels(maps)
        if ignored is not None:
            pixels = ignored.repeated(pixels)
        found = standard(self.statistics(pixels, canvas, ignored), self.expected)
        return Evidence(pixels, found.amax(1))

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> Self:
        """The inverse of `tensors`."""
        return cls(**{field.name: tensors[field.name] for field in fields(cls)})
