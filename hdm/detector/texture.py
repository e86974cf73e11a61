"""What texture good parts have at each place, by filters that nobody trained.

A network taught with synthetic defects is blind to what none of them resembled. Gabor energies know
nothing of defects: at each cell of 8 px they say how much there is of each orientation and
wavelength. Their distribution over good images, one Gaussian a place as in PaDiM (Defard et al.
2021), makes strange whatever is rare there, in the map as in the image's score. It costs
milliseconds, and fails on other images than the network does.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

CELL = 8
"""Side of a place in px; canvases are multiples of it."""
ORIENTATIONS = 6
SCALES = 4
"""Octaves, from wavelengths of 4 px on."""
WAVELENGTH, SPREAD, RADIUS = 4.0, 2.0, 6
FAINT = 1e-3
"""Energy below which nothing is told centred: less than 8-bit images hold."""
AT_ONCE = 64


@dataclass(frozen=True)
class Texture:
    """The texture of good images of h by w places, D = channels + 24 figures a place.

    typical (24,): median energies. mean (h w, D) and whitening (h w, D, D) make a place's figures
    uncorrelated. nearest (h w,): which place speaks for each, as ignored ones repeat what those
    beside them say; None where all are inspected.
    """

    typical: Tensor
    mean: Tensor
    whitening: Tensor
    nearest: Tensor | None = None

    def distance(self, images: Tensor) -> Tensor:
        """Mahalanobis distance of each place to good images', (N, C, H, W) -> (N, 1, h, w)."""
        energy, brightness = energies(images)
        centred = texture_figures(energy, brightness, self.typical) - self.mean
        white = (centred[:, :, None] @ self.whitening)[:, :, 0]
        distance = white.pow(2).sum(2).sqrt()
        if self.nearest is not None:
            distance = distance[:, self.nearest]
        return distance.unflatten(1, (1, *energy.shape[-2:]))


def energies(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of each cell of (N, C, H, W): mean amplitudes (N, 24, H / 8, W / 8) of 6 orientations at
    wavelengths of 4, 8, 16 and 32 px, and (N, C, H / 8, W / 8) how much brighter than the image
    it is."""
    brightness = F.avg_pool2d(images, CELL)
    layer, planes, filters = images.mean(1, keepdim=True), [], gabor_filters()
    for octave in range(SCALES):
        answer = F.conv2d(F.pad(layer, (RADIUS,) * 4, mode="replicate"), filters)
        even, odd = answer[:, :ORIENTATIONS], answer[:, ORIENTATIONS:]
        amplitude = (even * even + odd * odd + 1e-12).sqrt()
        planes.append(F.avg_pool2d(amplitude, CELL >> octave))
        layer = F.avg_pool2d(layer, 2)
    return torch.cat(planes, 1), brightness - brightness.mean((2, 3), keepdim=True)


@lru_cache
def gabor_filters() -> Tensor:
    """Even, then odd filters of every orientation: (12, 1, 13, 13), blind to a constant."""
    y, x = torch.meshgrid(*(torch.arange(-RADIUS, RADIUS + 1.0),) * 2, indexing="ij")
    window = torch.exp(-(x**2 + y**2) / (2 * SPREAD**2))
    window = window / window.sum()
    filters = []
    for wave in (torch.cos, torch.sin):
        for turn in range(ORIENTATIONS):
            angle = math.pi * turn / ORIENTATIONS
            phase = 2 * math.pi / WAVELENGTH * (x * math.cos(angle) + y * math.sin(angle))
            kernel = window * wave(phase)
            filters.append(kernel - window * kernel.sum())
    return torch.stack(filters)[:, None]


def texture_figures(energy: Tensor, brightness: Tensor, typical: Tensor) -> Tensor:
    """What is compared, (N, h w, D). Logarithms, as contrast multiplies energies; from typical
    energies downwards they level off, so that nothing is made of noise."""
    figures = torch.cat([brightness, (energy / typical[:, None, None]).log1p()], 1)
    return figures.flatten(2).mT
