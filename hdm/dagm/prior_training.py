"""Training the normal prior on the line's good images alone."""

from pathlib import Path

import torch
from torch import Tensor, nn

from hdm.dataset.input_format import InputFormat
from hdm.diffusion.compute import Backend
from hdm.diffusion.normal_prior import NormalPrior, build_network, split_output
from hdm.diffusion.schedule import NoiseSchedule
from hdm.model_settings import Compute, DagmFit
from hdm.training.loop import Report, train

VARIANCE_WEIGHT = 1e-3


def fit(normals: Tensor, form: InputFormat, settings: DagmFit, compute: Compute, *, seed: int,
        checkpoint: Path, report: Report | None = None) -> NormalPrior:
    """Train the prior on good images alone; `normals` is (N, channels, height, width).

    Velocity loss with min-SNR-5 weights; the variance output by the variational bound with
    weight 1e-3 and a frozen mean (Nichol & Dhariwal 2021, §3.1).
    """
    backend = Backend(compute)
    torch.manual_seed(seed)
    network = backend.place(build_network(form, settings))
    schedule = NoiseSchedule(settings.timesteps, learned_variance=settings.learned_variance)

    def draw(step: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        batch = settings.training.batch
        index = torch.randint(len(normals), (batch,), generator=generator)
        # One timestep in each of `batch` equal strata: less noisy loss than independent draws.
        u = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
        t = (u * settings.timesteps).long().clamp(max=settings.timesteps - 1)
        clean = normals[index]
        return clean, t, torch.randn(clean.shape, generator=generator)

    def objective(model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]
                  ) -> dict[str, Tensor]:
        clean, t, noise = batch
        x_t = schedule.add_noise(clean, noise, t)
        with backend.autocast():
            out = model(x_t.contiguous(memory_format=torch.channels_last), schedule.level(t))
        velocity, variance = split_output(out.float(), form.channels)
        error = (velocity - schedule.velocity(clean, noise, t)).pow(2)
        terms = {"velocity": (schedule.snr_weight(t) * error).mean()}
        terms["loss"] = terms["velocity"]
        if variance is not None:
            estimate = schedule.clean_from_velocity(x_t, velocity.detach(), t)
            terms["variance"] = _variance_bound(schedule, x_t, clean, estimate, t, variance)
            terms["loss"] = terms["loss"] + VARIANCE_WEIGHT * terms["variance"]
        return terms

    average = train(network, draw, objective, settings.training, seed=seed,
                    checkpoint=checkpoint, report=report)
    return NormalPrior(average, schedule, form, settings, backend)


def _variance_bound(schedule: NoiseSchedule, x_t: Tensor, clean: Tensor, estimate: Tensor,
                    t: Tensor, variance: Tensor) -> Tensor:
    """KL( q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t) ) in nats a pixel; gradient to Sigma only."""
    before = (t - 1).clamp(min=0)
    abar_t, abar_s = schedule.alpha_bar(t), schedule.alpha_bar(before)
    beta = (1 - abar_t / abar_s).clamp(min=1e-6)
    small = (beta * (1 - abar_s) / (1 - abar_t)).clamp(min=1e-8)
    coefficient = abar_s.sqrt() * beta / (1 - abar_t)
    share = (variance.clamp(-1, 1) + 1) / 2
    log_p = share * beta.log() + (1 - share) * small.log()
    gap = (coefficient * (clean - estimate)).pow(2)
    kl = 0.5 * (log_p - small.log() + (small + gap) / log_p.exp() - 1)
    return kl[t > 0].mean() if bool((t > 0).any()) else kl.mean() * 0
