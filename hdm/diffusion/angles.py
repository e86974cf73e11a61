"""The noise schedule of the latents, continuous: z_t = cos(t pi/2) z_0 + sin(t pi/2) eps.

The cosine schedule (Nichol & Dhariwal 2021) as an angle (Salimans & Ho 2022, appendix D), t in [0,
1]: 0 is clean, 1 is noise, and the velocity v = cos eps - sin z_0 is what a network learns. The
tests hold the steps below to diffusers' DDIM scheduler and its inverse.
"""

import math

import torch
from torch import Tensor


def signal_and_noise(t: Tensor | float) -> tuple[Tensor, Tensor]:
    """cos(t pi/2) and sin(t pi/2), like t."""
    angle = torch.as_tensor(t, dtype=torch.float32) * (math.pi / 2)
    return angle.cos(), angle.sin()


def noised(clean: Tensor, noise: Tensor, t: Tensor | float) -> Tensor:
    """q(z_t | z_0); t broadcasts."""
    signal, spread = signal_and_noise(t)
    return signal * clean + spread * noise


def velocity(clean: Tensor, noise: Tensor, t: Tensor | float) -> Tensor:
    """What the network learns."""
    signal, spread = signal_and_noise(t)
    return signal * noise - spread * clean


def clean_and_noise(state: Tensor, v: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
    """E[z_0 | z_t] and the noise that goes with it, of a velocity."""
    signal, spread = signal_and_noise(t)
    return signal * state - spread * v, spread * state + signal * v


def reverse_moments(clean: Tensor, noise: Tensor, t: float, s: float) -> tuple[Tensor, Tensor]:
    """Mean and variance of p(z_s | z_t), s < t, given the estimates at t (Song et al. 2021, eq. 12
    with eta 1: DDPM's own posterior)."""
    signal_t, spread_t = signal_and_noise(t)
    signal_s, spread_s = signal_and_noise(s)
    variance = (spread_s / spread_t) ** 2 * (1 - (signal_t / signal_s) ** 2)
    direction = (spread_s**2 - variance).clamp(min=0).sqrt()
    return signal_s * clean + direction * noise, variance
