"""The perturbed reverse process: p(x_s | x_t) = N(mu, (1 + tau m) Sigma), Weng et al. 2025.

Inside the mask m the variance of every reverse step is inflated; outside, the known image with
the right amount of noise is put back at each step (as RePaint, Lugmayr et al. 2022), so that the
defect grows into its surroundings. For Gaussian data and an optimal denoiser the whole chain ends
with (1 + tau) times the un-inflated variance in every mode, whatever the number of steps; where
the chain starts decides which scales are redrawn at all.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dagm.prior import NormalPrior


def perturbed_reverse(prior: NormalPrior, normals: Tensor, mask: Tensor, tau: Tensor, *,
                      start: float, steps: int, generator: torch.Generator,
                      structured: bool = False) -> Tensor:
    """Redraw the masked part of `normals` with inflated reverse variance.

    Args:
        normals: (N, C, H, W) good images, normalised.
        mask: (N, 1, H, W) in [0, 1]; soft edges inflate less.
        tau: (N,) inflation; 0 samples the prior itself.
        start: level the process starts from, a share of the whole noise range.
        steps: respaced steps that the whole range would take.
        structured: draw the inflated share from multi-octave noise (AnoDDPM, Wyatt et al. 2022),
            equal in variance: blobs and stains instead of grain.

    Returns: (N, C, H, W); equal to `normals` outside the mask.
    """
    schedule = prior.schedule
    times = schedule.respaced(steps, start)
    inflation = tau.view(-1, 1, 1, 1) * mask
    x = _noised(prior, normals, times[0], generator)
    for t, before in zip(times, [*times[1:], None], strict=True):
        clean, variance_output = prior.denoise(x, torch.full((len(x),), t, device=x.device))
        mean, variance = schedule.posterior(x, clean.clamp(-3, 3), t, before, variance_output)
        if before is None:
            x = mean
            break
        base = _randn(x, generator)
        extra = octave_noise(x, generator) if structured else _randn(x, generator)
        x = mean + variance.sqrt() * (base + inflation.sqrt() * extra)
        x = mask * x + (1 - mask) * _noised(prior, normals, before, generator)
    return mask * x + (1 - mask) * normals


def octave_noise(like: Tensor, generator: torch.Generator, octaves: int = 5,
                 persistence: float = 0.8) -> Tensor:
    """Noise of unit variance whose power is spread over scales 1, 2, 4, ... px."""
    height, width = like.shape[-2:]
    total, power = torch.zeros(like.shape), 0.0
    for octave in range(octaves):
        scale = 2 ** (octaves - 1 - octave)
        size = (max(2, -(-height // scale)), max(2, -(-width // scale)))
        coarse = torch.randn(*like.shape[:2], *size, generator=generator)
        layer = F.interpolate(coarse, size=(height, width), mode="nearest")
        weight = persistence**octave
        total, power = total + weight * layer, power + weight**2
    return (total / power**0.5).to(like.device)


def _noised(prior: NormalPrior, images: Tensor, t: int, generator: torch.Generator) -> Tensor:
    steps = torch.full((len(images),), t, device=images.device)
    return prior.schedule.add_noise(images, _randn(images, generator), steps)


def _randn(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like.device)
