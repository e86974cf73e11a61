"""Fitting how evidences are joined, on held-out good images.

They are not those that thresholds come from (`hdm.dataset.held_out`): a threshold for 5 % of false
alarms on images that also say how evidence is joined raises them on 6 to 7 % with 19 of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.evidence import WINDOWS, moments, worst
from hdm.detector.fusion import Fusion
from hdm.detector.window_means import window_means

LEAST = 1e-3
TAUGHT, TAUGHT_BY_TILES = 1 / 3, 2 / 3
"""By tiles the discriminators see native detail, in four mirrorings, and places mean nothing to the
diffusion."""
PIXEL_STEP = 7
BESIDE, SMOOTH = 1 / 8, 2
"""How far what is ignored changes what is seen beside it, of the shorter side; and the radius in px
over which good images are averaged there."""


def fit_fusion(maps: Sequence[Tensor], canvas: tuple[int, int], *, tiled: bool = False,
               taught: float | None = None, told: float = 0.0,
               ignored: Callable[[int, int], Ignored | None] = lambda height, width: None
               ) -> Fusion:
    """From each held-out good image's maps of K kinds, (1, K, H, W), and the canvas's size.

    taught: weight of the last kind, what the discriminators say, of 1; None for the usual one.
    told: weight of the kind before it, nearness to confirmed defects, which the others make room
    for; 0 where there is none. Kinds of the diffusion share the rest. ignored: the size of a
    map -> what of it is not inspected, and so says nothing.
    """
    kinds = maps[0].shape[1]
    usual = TAUGHT_BY_TILES if tiled else TAUGHT
    share = usual if taught is None else taught
    near = [told] if told else []
    diffusion = kinds - len(near) - 1
    weight = torch.tensor([
        *[(1 - share) * (1 - told) / max(1, diffusion)] * diffusion, *near,
        share * (1 - told)]) if kinds > 1 else torch.ones(1)
    masks = [ignored(*image.shape[-2:]) for image in maps]
    centre = torch.stack([inspected(image, mask).mean(1)
                          for image, mask in zip(maps, masks, strict=True)]).mean(0)[:, None, None]
    if not tiled and masks[0] is not None:
        centre = centre + beside_ignored(torch.cat(list(maps)) - centre, masks[0])
    oddest = torch.stack([worst((image - centre).movedim(1, 0), ignored=mask)
                          for image, mask in zip(maps, masks, strict=True)])
    figures = 1 if not tiled else len(WINDOWS)
    unknown = torch.tensor([[0.0], [1.0]])
    fusion = Fusion(centre, oddest.std(0, correction=0).clamp(min=LEAST), weight,
                    unknown[:, 0], unknown.expand(2, figures).contiguous())
    joined = [fusion.pixels(image) for image in maps]
    fusion = replace(fusion, pixel=moments(
        torch.cat([inspected(image, mask).flatten()[::PIXEL_STEP]
                   for image, mask in zip(joined, masks, strict=True)])))
    found = torch.cat([fusion.statistics(image, canvas, mask)
                       for image, mask in zip(joined, masks, strict=True)])
    return replace(fusion, expected=moments(found))


def beside_ignored(maps: Tensor, ignored: Ignored) -> Tensor:
    """What good images (N, K, H, W) show beside what is ignored, more than elsewhere: (K, H, W).

    A region's edge that runs through a busy place of a part cuts it in two, and there every good
    part is odd. Elsewhere it is 0: of few images a mean at each place tells more of chance than of
    the place, and of parts that lie at any angle nothing.
    """
    reach = max(1, round(BESIDE * min(maps.shape[-2:])))
    near = F.max_pool2d(ignored.pixels[None].float(), 2 * reach + 1, 1, reach) > 0
    return window_means(maps.mean(0, keepdim=True), SMOOTH)[0] * near


def inspected(maps: Tensor, ignored: Ignored | None) -> Tensor:
    """Values of inspected pixels of one image's K maps: (1, K, H, W) -> (K, P)."""
    return maps[0].flatten(1) if ignored is None else maps[0][:, ~ignored.pixels]
