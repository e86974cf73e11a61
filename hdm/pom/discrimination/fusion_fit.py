"""Fitting how evidences are joined, on held-out good images.

They are not those that thresholds come from (`hdm.dataset.held_out`): a threshold for 5 % of false
alarms on images that also say how evidence is joined raises them on 6 to 7 % with 19 of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.evidence import WINDOWS, moments, worst
from hdm.detector.fusion import Fusion

LEAST = 1e-3
TAUGHT, TAUGHT_BY_TILES = 1 / 3, 2 / 3
"""By tiles the discriminators see native detail, in four mirrorings, and places mean nothing to the
diffusion."""
PIXEL_STEP = 7


def usual_weight(*, tiled: bool) -> float:
    """Of what the discriminators say, where no real defect tells another one."""
    return TAUGHT_BY_TILES if tiled else TAUGHT


def fit_fusion(maps: Sequence[Tensor], canvas: tuple[int, int], *, tiled: bool = False,
               taught: float | None = None,
               ignored: Callable[[int, int], Ignored | None] = lambda height, width: None
               ) -> Fusion:
    """From each held-out good image's maps of K kinds, (1, K, H, W), and the canvas's size.

    taught: weight of the last kind, what the discriminators say, of 1; None for `usual_weight`.
    Kinds of the diffusion share the rest. ignored: the size of a map -> what of it is not
    inspected, and so says nothing.
    """
    kinds = maps[0].shape[1]
    share = usual_weight(tiled=tiled) if taught is None else taught
    weight = torch.tensor([(1 - share) / (kinds - 1)] * (kinds - 1) + [share]) if kinds > 1 \
        else torch.ones(1)
    masks = [ignored(*image.shape[-2:]) for image in maps]
    centre = torch.stack([inspected(image, mask).mean(1)
                          for image, mask in zip(maps, masks, strict=True)]).mean(0)
    oddest = torch.stack([worst(image.movedim(1, 0), ignored=mask)
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


def inspected(maps: Tensor, ignored: Ignored | None) -> Tensor:
    """Values of inspected pixels of one image's K maps: (1, K, H, W) -> (K, P)."""
    return maps[0].flatten(1) if ignored is None else maps[0][:, ~ignored.pixels]
