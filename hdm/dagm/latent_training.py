"""Training the latent prior on the line's good images alone."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hdm.backbone.encoder import Encoder
from hdm.dagm.latent_vectors import LatentVectors
from hdm.dataset.evenly import evenly
from hdm.dataset.ignore_mask import Ignored
from hdm.diffusion.angles import noised, velocity
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import (
    INVERSION,
    RESIDUAL_LEVELS,
    LatentPrior,
    fixed_noise,
    mean_latents,
)
from hdm.diffusion.latent_space import LatentSpace, positions
from hdm.diffusion.place_denoiser import CHOICES, NOTHING, PlaceDenoiser, Told
from hdm.model_settings import DagmFit
from hdm.training.loop import Report, train

GROUPS = 16
"""Noise levels a step: half of them anywhere, half where the evidence is read."""
READ = tuple(sorted({*RESIDUAL_LEVELS, *INVERSION[:-1]}))
RANGE = (0.02, 0.98)
TOLD_SHARE = 0.5
"""Of the groups of a step, for the place and for the image's mean latent each."""
HELD_OUT_LEVELS = (0.2, 0.34, 0.5, 0.66)
HELD_OUT_IMAGES = 48
"""At most so many are asked what to tell; more would not change the answer."""
BETTER = 0.99
"""Times the held-out error without it that the error with one thing more told must not exceed, for
it to be told."""


class Noised(NamedTuple):
    """GROUPS groups of P latents: clean, noise and mean of the image (G, P, D), level (G,), place
    (G, P, 2), told (G, 2)."""

    clean: Tensor
    noise: Tensor
    level: Tensor
    place: Tensor
    mean: Tensor
    told: Tensor


def fit(vectors: LatentVectors, space: LatentSpace, encoder: Encoder, settings: DagmFit,
        backend: Backend, *, seed: int, checkpoint: Path, report: Report | None = None
        ) -> LatentPrior:
    """Train and return the averaged prior, told nothing: `told_what_helps` decides that."""
    torch.manual_seed(seed)
    network = PlaceDenoiser(space.whitening.shape[1], settings.network).to(backend.device)
    network.standardize(vectors.means)

    def draw(step: int, generator: torch.Generator) -> Noised:
        return draw_batch(vectors, settings.training.batch, generator)

    def judge(model: nn.Module, batch: Noised) -> dict[str, Tensor]:
        level = batch.level[:, None, None]
        with backend.training_autocast():
            out = model(noised(batch.clean, batch.noise, level), batch.level, batch.place,
                        batch.mean, batch.told)
        return {"loss": F.mse_loss(out.float(), velocity(batch.clean, batch.noise, level))}

    trained = train(network, draw, judge, settings.training, seed=seed + 1, checkpoint=checkpoint,
                    report=report, make=adam)
    return LatentPrior(encoder, space, trained, settings, told=NOTHING)


def draw_batch(vectors: LatentVectors, size: int, generator: torch.Generator) -> Noised:
    """`size` vectors, noised to GROUPS levels."""
    each = max(1, size // GROUPS)
    rows = torch.randint(len(vectors.latents), (GROUPS, each), generator=generator)
    clean = vectors.latents[rows].float()
    spread = (torch.arange(GROUPS) + torch.rand(GROUPS, generator=generator)) / GROUPS
    anywhere = RANGE[0] + spread * (RANGE[1] - RANGE[0])
    read = torch.tensor(READ)[torch.randint(len(READ), (GROUPS,), generator=generator)]
    level = torch.where(torch.arange(GROUPS) % 4 < 2, anywhere, read)
    told = (torch.rand(GROUPS, len(Told._fields), generator=generator) < TOLD_SHARE).float()
    noise = torch.randn(clean.shape, generator=generator)
    return Noised(clean, noise, level, vectors.places[rows], vectors.means[vectors.views[rows]],
                  told)


def adam(model: nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Muon learns these perceptrons no faster and costs twice a step."""
    return [torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-4, betas=(0.9, 0.98),
                              fused=True)]


def told_what_helps(prior: LatentPrior, held_out: Callable[[int], Tensor], count: int,
                    ignored: Callable[[int, int], Ignored | None] = lambda height, width: None
                    ) -> tuple[LatentPrior, dict[str, float]]:
    """The prior, told what helps on held-out good images: nothing, a latent's place, its image's
    mean latent, or both. And its shares of explained variance at some noise levels, with what the
    error becomes by each.

    held_out: number of an image -> (1, C, H, W) as the encoder takes them. Where parts are
    aligned, what is normal depends on the place; where good pictures differ from one another, on
    the picture. Where they do not, to be told only adds to what can be learned by heart. ignored:
    height and width of the latents' places -> which are not asked.
    """
    errors = torch.zeros(len(CHOICES), len(HELD_OUT_LEVELS))
    asked = evenly(count, HELD_OUT_IMAGES)
    for number in asked:
        latents = prior.latents(held_out(number))
        hidden = ignored(*latents.shape[-2:])
        seen = slice(None) if hidden is None else ~hidden.pixels.flatten()
        clean = latents[0].flatten(1).T[seen]
        places = positions(*latents.shape[-2:])[seen]
        means = mean_latents(latents).expand(len(clean), -1)
        noise = fixed_noise(*clean.shape)
        for row, told in enumerate(CHOICES):
            for column, level in enumerate(HELD_OUT_LEVELS):
                errors[row, column] += prior.residual(
                    clean, noise, level, places if told.place else None,
                    means if told.image else None).mean().cpu() / len(asked)
    error = dict(zip(CHOICES, errors.mean(1).tolist(), strict=True))
    best = min(CHOICES, key=lambda told: error[told] / BETTER ** sum(told))
    chosen = LatentPrior(prior.encoder, prior.space, prior.network, prior.settings, told=best)
    shares = {f"explained_{level:g}": 1 - float(errors[CHOICES.index(best), column])
              for column, level in enumerate(HELD_OUT_LEVELS)}
    ratios = {f"{name}_ratio": error[best._replace(**{name: True})]
              / error[best._replace(**{name: False})] for name in Told._fields}
    return chosen, shares | ratios
