"""Features that nothing was trained for: Gabor energies by scale and orientation, and brightness.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.quality.methods.gaussians import Gaussians
from benchmarks.quality.methods.maps import gaussian
from benchmarks.quality.methods.method import Clock, Fitted, Task
from benchmarks.quality.methods.neighbours import Neighbours

ORIENTATIONS, LEVELS, STRIDE = 6, 4, 4
WAVELENGTH, SPREAD, RADIUS = 4.0, 2.0, 6
POOLING = 2.0
BATCH = 64


def padim(task: Task) -> Fitted:
    """One Gaussian a position."""
    clock = Clock()
    with clock.stage("features"):
        features = energies(task.train)
    with clock.stage("model"):
        model = Gaussians(features)
    return Fitted(lambda x: model.score(energies(x), _size(task)), seconds=clock.seconds)


def patchcore(task: Task) -> Fitted:
    """Distance to a coreset."""
    clock = Clock()
    with clock.stage("features"):
        features = energies(task.train)
    with clock.stage("model"):
        model = Neighbours(features, task.seed)
    return Fitted(lambda x: model.score(energies(x), _size(task)), seconds=clock.seconds)


def energies(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 24 + C, H / 4, W / 4): the amplitude of 6 orientations at wavelengths of
    4, 8, 16 and 32 px, and the mean of each channel."""
    return torch.cat([_energies(part) for part in images.split(BATCH)])


def _energies(images: Tensor) -> Tensor:
    grid = (images.shape[-2] // STRIDE, images.shape[-1] // STRIDE)
    bank = gabor_bank()
    layer = images.mean(1, keepdim=True)
    planes = [F.adaptive_avg_pool2d(gaussian(images, POOLING), grid)]
    for _ in range(LEVELS):
        radius = min(RADIUS, min(layer.shape[-2:]) - 1)
        padded = F.pad(layer, (radius,) * 4, mode="reflect")
        padded = F.pad(padded, (RADIUS - radius,) * 4, mode="replicate")
        answer = F.conv2d(padded, bank).unflatten(1, (2, ORIENTATIONS))
        amplitude = gaussian(answer.pow(2).sum(1).sqrt(), POOLING)
        planes.append(F.interpolate(amplitude, size=grid, mode="bilinear", antialias=True,
                                    align_corners=False))
        layer = F.avg_pool2d(layer, 2)
    return torch.cat(planes, dim=1)


def gabor_bank() -> Tensor:
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


def _size(task: Task) -> tuple[int, int]:
    return task.form.height, task.form.width
