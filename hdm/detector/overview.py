"""A picture as a whole, in figures that a defect hardly moves and a foreign picture does.

How bright it is, how rich in contrast, how sharp; and for each kind of feature the median over all
places and the median deviation from it. A defect covers few of the places, so it does not move
medians; another part, a cover, a blur or a lamp that died is everywhere.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.input_format import InputFormat
from hdm.detector.texture import FAINT, energies

PICTURE = 3
"""Figures before those of places: brightness, contrast, focus."""
LEAST_CONTRAST, LEAST_DETAIL, LEAST_SPREAD = 1e-3, 1e-4, 0.05
"""Added before logarithms are taken, so that nothing is made of noise."""
STEP = 2
"""Every so many places in a row and in a column are looked at: sorting takes time."""


def overview(form: InputFormat, encoded: Tensor, latents: Tensor | None) -> Tensor:
    """Of pictures as the encoder sees them (N, C, h, w), about [-1, 1], and their latents
    (N, D, h/8, w/8): brightness in shares of white, logarithms of contrast and of focus, then 2 D
    figures of places, (N, 3 + 2 D). Without a backbone, latents is None, texture is pooled."""
    places = _texture(encoded) if latents is None else latents
    return torch.cat([_picture(form, encoded), _pooled(places)], 1)


def _picture(form: InputFormat, encoded: Tensor) -> Tensor:
    grey = encoded.mean(1, keepdim=True)
    mean = grey.mean((2, 3))
    brightness = (mean + 1) / 2 * (form.high - form.low) + form.low
    contrast = ((grey - mean[..., None, None]).pow(2).mean((2, 3)).sqrt() + LEAST_CONTRAST).log()
    # Blur takes fine detail before coarse, noise adds to the fine first, and light changes both.
    focus = _detail(grey).log() - _detail(F.avg_pool2d(grey, 2)).log()
    return torch.cat([brightness, contrast, focus], 1)


def _detail(grey: Tensor) -> Tensor:
    """How much pixels differ from the mean of their four neighbours, (N, 1, h, w) -> (N, 1)."""
    around = (grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1]
              + grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]) / 4
    return (grey[..., 1:-1, 1:-1] - around).abs().mean((2, 3)) + LEAST_DETAIL


def _pooled(places: Tensor) -> Tensor:
    """(N, D, h, w) -> (N, 2 D)."""
    flat = places[..., ::STEP, ::STEP].flatten(2)
    middle = _median(flat)
    spread = _median((flat - middle[..., None]).abs())
    return torch.cat([middle, (spread + LEAST_SPREAD).log()], 1)


def _median(values: Tensor) -> Tensor:
    # By sorting, as ONNX knows no median.
    return values.sort(-1).values[..., values.shape[-1] // 2]


def _texture(encoded: Tensor) -> Tensor:
    energy, brightness = energies(encoded)
    return torch.cat([(energy + FAINT).log(), brightness], 1)
