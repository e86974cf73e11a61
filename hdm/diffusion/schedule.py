"""The forward noise process and the moments of its reverse, on the DDPM schedule of diffusers."""

import torch
from torch import Tensor

from hdm.diffusion.cosine_scheduler import CosineScheduler


class NoiseSchedule:
    """Variance-preserving cosine schedule (Nichol & Dhariwal 2021) with v-prediction.

    A *level* is a share of the whole range in [0, 1]; a timestep is a whole number in
    [0, timesteps). x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps.
    """

    def __init__(self, timesteps: int, *, learned_variance: bool = True) -> None:
        self.timesteps = timesteps
        self.learned_variance = learned_variance
        self.scheduler = CosineScheduler(timesteps)

    def timestep(self, level: float) -> int:
        """The timestep at `level` of the range."""
        return min(self.timesteps - 1, max(0, round(level * (self.timesteps - 1))))

    def level(self, t: Tensor) -> Tensor:
        """Timesteps (N,) -> levels (N,) in [0, 1], what the network is conditioned on."""
        return t.float() / max(1, self.timesteps - 1)

    def add_noise(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """q(x_t | x_0): clean and noise (N, C, H, W), t (N,) -> x_t."""
        return self.scheduler.add_noise(clean, noise, t)

    def velocity(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Training target v = sqrt(abar) eps - sqrt(1 - abar) x_0 (Salimans & Ho 2022)."""
        return self.scheduler.get_velocity(clean, noise, t)

    def alpha_bar(self, t: Tensor) -> Tensor:
        """abar_t as (N, 1, 1, 1)."""
        return self.scheduler.alphas_cumprod.to(t.device)[t][:, None, None, None]

    def clean_from_velocity(self, x_t: Tensor, velocity: Tensor, t: Tensor) -> Tensor:
        """The one-step estimate of x_0."""
        abar = self.alpha_bar(t)
        return abar.sqrt() * x_t - (1 - abar).sqrt() * velocity

    def noise_in(self, x_t: Tensor, clean: Tensor, t: Tensor) -> Tensor:
        """The noise that makes x_t of `clean`: `add_noise` solved for it."""
        abar = self.alpha_bar(t)
        return (x_t - abar.sqrt() * clean) / (1 - abar).sqrt()

    def snr_weight(self, t: Tensor, limit: float = 5.0) -> Tensor:
        """Min-SNR weight of the v-loss (Hang et al. 2023), (N, 1, 1, 1)."""
        abar = self.alpha_bar(t)
        snr = abar / (1 - abar)
        return snr.clamp(max=limit) / (snr + 1)

    def respaced(self, steps: int, start: float) -> list[int]:
        """Falling timesteps of the reverse process: from `start`, then every 1/steps of the range.

        The first entry is `timestep(start)`, so that a whole chain forgets the image; the last
        is 0, so that it ends on a clean one.
        """
        first = self.timestep(start)
        times = {round(i * self.timesteps / steps) for i in range(steps)} | {first}
        return sorted((t for t in times if t <= first), reverse=True)

    def posterior(self, x_t: Tensor, clean: Tensor, t: int, before: int | None,
                  variance_output: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and variance of p(x_before | x_t), given the estimate of x_0.

        Args:
            before: the next smaller timestep; None ends the chain on x_0 itself, variance 0.
            variance_output: network output in [-1, 1] that interpolates log Sigma between the
                posterior variance and beta (Nichol & Dhariwal 2021, eq. 15); None uses the
                posterior variance, which never inflates a mode by itself when steps are few.

        Returns: mean (N, C, H, W) and variance, a scalar tensor or (N, C, H, W).
        """
        abar = self.scheduler.alphas_cumprod
        if before is None:
            return clean, torch.zeros((), device=x_t.device)
        abar_t, abar_s = abar[t].item(), abar[before].item()
        alpha = abar_t / abar_s
        beta = 1 - alpha
        mean = (abar_s**0.5 * beta * clean + alpha**0.5 * (1 - abar_s) * x_t) / (1 - abar_t)
        small = beta * (1 - abar_s) / (1 - abar_t)
        if variance_output is None:
            return mean, torch.tensor(small, device=x_t.device)
        share = (variance_output.float().clamp(-1, 1) + 1) / 2
        low, high = torch.tensor(small).log().item(), torch.tensor(beta).log().item()
        return mean, torch.exp(share * high + (1 - share) * low)
