"""Judging images of any size by overlapping tiles of one size."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

OVERLAP = 0.25


def over_tiles(images: Tensor, size: tuple[int, int], judge: Callable[[Tensor], Tensor]) -> Tensor:
    """What `judge` says of images' tiles, blended: (N, C, H, W) -> (N, 1, H, W).

    judge: tiles (T, C, *size) -> maps (T, 1, *size). Images smaller than a tile are mirrored.
    """
    height, width = images.shape[-2:]
    padded = pad_to(images, *size)
    windows = [(..., slice(row, row + size[0]), slice(column, column + size[1]))
               for row in starts(padded.shape[-2], size[0])
               for column in starts(padded.shape[-1], size[1])]
    maps = judge(torch.cat([padded[window] for window in windows]))
    ramp = torch.minimum(_ramp(size[0], 0), _ramp(size[1], 1))
    total = torch.zeros_like(padded[:, :1])
    weight = torch.zeros(1, 1, *padded.shape[-2:])
    for tiles, window in zip(maps.unflatten(0, (len(windows), -1)), windows, strict=True):
        total[window] += tiles * ramp
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
