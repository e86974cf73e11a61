"""The perturbed reverse process: p(x_s | x_t) = N(mu, (1 + tau) Sigma), Weng et al. 2025.

A good image is noised and drawn again with the variance of every reverse step inflated. For
Gaussian data and an optimal denoiser the whole chain ends with (1 + tau) times the un-inflated
variance in every mode, whatever the number of steps; where the chain starts decides which scales
are redrawn at all. Masks are cut out of the result later: one redrawn image makes any number of
defects.

A prior of some hundred steps cannot tell the finest grain of a good image from noise, and a chain
that ends on its word would leave grain everywhere, by which a defect is known. So the chain may end
earlier, and the good image changes by what the prior says of both under the same noise.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.diffusion.normal_prior import NormalPrior


def perturbed_reverse(prior: NormalPrior, normals: Tensor, tau: Tensor, *, start: float,
                      steps: int, generator: torch.Generator, inflation_end: float = 0.0,
                      end: float = 0.0, structured: bool = False) -> Tensor:
    """Redraw `normals` with inflated reverse variance.

    Args:
        normals: (N, C, H, W) good images, normalised.
        tau: (N,) inflation; 0 samples the prior itself.
        start: level the process starts from, a share of the whole noise range.
        inflation_end: level below which no variance is inflated, a share of the whole range.
        end: level below which the good image's own detail is kept; 0 redraws that, too.
        steps: respaced steps that the whole range would take.
        structured: draw the inflated share from multi-octave noise (AnoDDPM, Wyatt et al. 2022),
            equal in variance: blobs and stains instead of grain.

    Returns: (N, C, H, W).
    """
    schedule = prior.schedule
    times = schedule.respaced(steps, start)
    inflation, last = tau.view(-1, 1, 1, 1), schedule.timestep(inflation_end)
    finest = schedule.timestep(end) if end > 0 else -1
    first = torch.full((len(normals),), times[0], device=normals.device)
    x = schedule.add_noise(normals, _randn(normals, generator), first)
    for t, before in zip(times, [*times[1:], None], strict=True):
        now = torch.full((len(x),), t, device=x.device)
        clean, variance_output = prior.denoise(x, now)
        if t <= finest:
            noise = schedule.noise_in(x, clean, now)
            return normals + clean - prior.denoise(schedule.add_noise(normals, noise, now), now)[0]
        mean, variance = schedule.posterior(x, clean.clamp(-3, 3), t, before, variance_output)
        if before is None:
            return mean
        base = _randn(x, generator)
        extra = octave_noise(x, generator) if structured else _randn(x, generator)
        x = mean + variance.sqrt() * (base + inflation.sqrt() * extra * (t >= last))
    raise ValueError(f"no step from {start} on with {steps} steps of the whole range")


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


def _randn(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like.device)
