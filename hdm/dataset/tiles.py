"""Judging an image of any size by overlapping tiles of one size."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

OVERLAP = 0.25


def over_tiles(image: Tensor, size: tuple[int, int], judge: Callable[[Tensor], Tensor]) -> Tensor:
    """What `judge` says of an image's tiles, blended: (1, C, H, W) -> (1, 1, H, W).

    judge: tiles (N, C, *size) -> maps (N, 1, *size). An image smaller than a tile is mirrored.
    """
    height, width = image.shape[-2:]
    padded = pad_to(image, *size)
    places = [(row, column) for row in starts(padded.shape[-2], size[0])
              for column in starts(padded.shape[-1], size[1])]
    windows = [(..., slice(row, row + size[0]), slice(column, column + size[1]))
               for row, column in places]
    maps = judge(torch.cat([padded[window] for window in windows]))
    ramp = torch.minimum(_ramp(size[0], 0), _ramp(size[1], 1))
    total = torch.zeros(1, 1, *padded.shape[-2:])
    weight = torch.zeros_like(total)
    for tile, window in zip(maps, windows, strict=True):
        total[window] += tile * ramp
        weight[window] += ramp
    return (total / weight)[..., :height, :width]


def starts(length: int, tile: int) -> list[int]:
    """Where tiles begin so that they cover `length` with at least the overlap."""
    count = 1 + max(0, -(-(length - tile) // max(1, round(tile * (1 - OVERLAP)))))
    return [round(i * (length - tile) / max(1, count - 1)) for i in range(count)]


def pad_to(images: Tensor, height: int, width: int) -> Tensor:
    """Mirror (N, C, H, W) at the bottom and right until it is at least height x width."""
    while images.shape[-2] < height or images.shape[-1] < width:
        h, w = images.shape[-2:]
        images = F.pad(images, (0, min(max(0, width - w), max(w - 1, 0)), 0,
                                min(max(0, height - h), max(h - 1, 0))),
                       mode="reflect" if min(h, w) > 1 else "replicate")
        if min(h, w) == 1:
            images = images.repeat(1, 1, 1 + (h == 1), 1 + (w == 1))
    return images


def _ramp(side: int, axis: int) -> Tensor:
    """Weights of a tile along one axis: 1 in the middle, falling towards the edge."""
    place = torch.arange(side) + 0.5
    weight = torch.minimum(place, side - place) / (side * OVERLAP)
    return weight.clamp(max=1).unsqueeze(1 - axis)
