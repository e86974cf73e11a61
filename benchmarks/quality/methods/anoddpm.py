"""Reconstruction by the prior alone, after AnoDDPM (Wyatt et al. 2022): noise part of the way, come
back without noise, and look at what changed.

AnoDDPM trains its network on simplex noise, too. Here the network is HDM's own prior, trained on
white noise, so multi-octave noise is not sure to help: white and multi-octave noise are both tried
on synthetic defects of calibration images, and the better one is taken.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from benchmarks.quality.methods import prior_features, trained_prior
from benchmarks.quality.methods.maps import SMOOTHING, gaussian
from benchmarks.quality.methods.method import Clock, Fitted, Task, parameters
from benchmarks.quality.methods.perlin import Corruptions, synthetic_auroc
from hdm.dagm.perturbed_reverse import octave_noise
from hdm.detector.window_means import window_means
from hdm.diffusion.normal_prior import NormalPrior

LEVEL = 0.25
WORST_SHARE = 0.002
STEPS = 25
"""Of the whole range: a quarter of it takes seven."""
TUNED_ON = 48
BATCH = 32
NOISE_SEED = 72


def _white(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator)


NOISES: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "octave": octave_noise, "white": _white}


def fit(task: Task) -> Fitted:
    """Train the prior for the budget and choose the noise; what reads the same prior's features
    comes with it."""
    clock = Clock()
    with clock.stage("prior"):
        prior, steps = trained_prior.fit_budget(task)
    trained = dict(clock.seconds)
    with clock.stage("tuning"):
        good = task.calibration[:TUNED_ON]
        corruptions = Corruptions(task.train, task.seed)
        figures = {name: synthetic_auroc(partial(score, prior, noise=name), good, corruptions,
                                         task.seed) for name in NOISES}
    best = max(figures, key=lambda name: figures[name])
    notes: dict[str, float | int | str] = {f"synthetic_{k}": v for k, v in figures.items()}
    cost = {"flop": trained_prior.flop(task, steps), "parameters": parameters(prior.network)}
    also = {name: replace(other, seconds=trained | other.seconds, notes={"prior_steps": steps},
                          **cost)
            for name, other in prior_features.fit(prior, task).items()}
    return Fitted(partial(score, prior, noise=best), seconds=clock.seconds,
                  notes=notes | {"prior_steps": steps, "noise": best}, also=also, **cost)


def score(prior: NormalPrior, images: Tensor, noise: str) -> tuple[Tensor, Tensor]:
    """Image scores and smoothed squared errors of the reconstruction."""
    maps = []
    for part in images.split(BATCH):
        error = (reconstruct(prior, part, noise) - part).pow(2).mean(1, keepdim=True)
        maps.append(gaussian(error, SMOOTHING * min(error.shape[-2:])))
    joined = torch.cat(maps)
    return worst(joined), joined[:, 0]


def worst(maps: Tensor) -> Tensor:
    """Mean of the worst 0.2 % of an image's pixels, smoothed once more: (N, 1, H, W) -> (N,)."""
    height, width = maps.shape[-2:]
    smooth = window_means(maps, max(1, round(min(height, width) / 64))).flatten(1)
    return smooth.topk(max(1, int(WORST_SHARE * height * width)), dim=1).values.mean(1)


def reconstruct(prior: NormalPrior, images: Tensor, noise: str) -> Tensor:
    """Noise (N, C, H, W) to the level and reverse deterministically (DDIM, Song et al. 2021)."""
    device, schedule = prior.backend.device, prior.schedule
    times = schedule.respaced(STEPS, LEVEL)
    eps = NOISES[noise](images[:1], torch.Generator().manual_seed(NOISE_SEED)).to(device)
    start = torch.full((len(images),), times[0], device=device)
    x = schedule.add_noise(images.to(device), eps.expand(len(images), -1, -1, -1), start)
    for t, before in zip(times, [*times[1:], None], strict=True):
        now = torch.full((len(x),), t, device=device)
        clean = prior.denoise(x, now)[0].clamp(-3, 3)
        if before is None:
            return clean.cpu()
        abar, next_abar = schedule.alpha_bar(now), schedule.alpha_bar(torch.full_like(now, before))
        direction = (x - abar.sqrt() * clean) / (1 - abar).sqrt()
        x = next_abar.sqrt() * clean + (1 - next_abar).sqrt() * direction
    raise AssertionError("the reverse process has at least one step")
