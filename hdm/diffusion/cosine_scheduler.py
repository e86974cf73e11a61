"""The three formulas of diffusers' `DDPMScheduler` that a prior needs, bit for bit the same.

Importing diffusers takes 2.6 s of processor time on top of torch, at every start of whatever judges
a picture; tests/diffusion/test_cosine_scheduler.py compares both.
"""

import math

import torch
from torch import Tensor

LARGEST_BETA = 0.999


class CosineScheduler:
    """`DDPMScheduler(timesteps, beta_schedule="squaredcos_cap_v2")`, and it may stand in its place.

    alphas_cumprod: abar of each timestep, on the device of the samples that came last.
    """

    def __init__(self, timesteps: int) -> None:
        betas = [min(1 - _abar((i + 1) / timesteps) / _abar(i / timesteps), LARGEST_BETA)
                 for i in range(timesteps)]
        self.alphas_cumprod = torch.cumprod(1.0 - torch.tensor(betas, dtype=torch.float32), dim=0)

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """sqrt(abar) clean + sqrt(1 - abar) noise; (N, ...) with t (N,)."""
        signal, spread = self._roots(clean, t)
        return signal * clean + spread * noise

    def get_velocity(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """sqrt(abar) noise - sqrt(1 - abar) clean."""
        signal, spread = self._roots(clean, t)
        return signal * noise - spread * clean

    def _roots(self, like: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        # Kept where it is asked for, so that the next call copies nothing.
        self.alphas_cumprod = self.alphas_cumprod.to(device=like.device)
        abar = self.alphas_cumprod.to(dtype=like.dtype)[t.to(like.device)]
        shape = (-1, *[1] * (like.ndim - 1))
        return (abar ** 0.5).view(shape), ((1 - abar) ** 0.5).view(shape)


def _abar(share: float) -> float:
    return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2
