"""Training the discriminator on good images and on the selected part of the sample bank."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.config import Compute, DdmTrain
from hdm.dagm.bank import SampleBank
from hdm.dagm.prior import NormalPrior
from hdm.dagm.siblings import Siblings
from hdm.ddm.network import Discriminator
from hdm.ddm.process import state, transparencies
from hdm.diffusion.compute import Backend
from hdm.diffusion.training import Report, train

CLEAN_SHARE = 0.4
SHOWN_PREVIOUS = 0.5
IGNORED = 2
POSITIVE_WEIGHT = 10.0
PLAIN_FIRST = 0.35
NORMAL_WEIGHT = 0.3


@dataclass(frozen=True)
class Batch:
    """normal, seen (N, C, H, W); mask (N, 1, H, W) in {0, 1}; weight (N, 1, H, W)."""

    normal: Tensor
    seen: Tensor
    mask: Tensor
    weight: Tensor


def fit(normals: Tensor, bank: SampleBank, selection: Tensor, importance: Tensor,
        prior: NormalPrior, settings: DdmTrain, compute: Compute, *, seed: int,
        checkpoint: Path, report: Report | None = None) -> Discriminator:
    """Train and return the averaged discriminator.

    Args:
        normals: (N, C, H, W) good images; the bank's `base` counts in them.
        selection: (S,) rows of the bank to train on; importance: (S,) chances of being drawn.
    """
    backend = Backend(compute)
    torch.manual_seed(seed)
    network = Discriminator(prior.form.channels, settings.network,
                            with_prior=settings.prior_level is not None)
    network = network.to(backend.device).to(memory_format=torch.channels_last)
    bases = torch.from_numpy(bank.table["base"].to_numpy().copy())
    clean_pool = torch.unique(bases[selection])
    levels = torch.tensor(transparencies(settings.reverse_steps))
    plain = _plain(bank, selection, importance)
    siblings = Siblings(bank, normals[clean_pool])

    def loss(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        chances = plain if step < PLAIN_FIRST * settings.training.steps else importance
        batch = _draw(normals, siblings, selection, chances, bases, clean_pool, settings,
                      generator)
        batch = _augment(batch, settings, generator)
        batch = Batch(*(getattr(batch, f).to(backend.device) for f in Batch.__annotations__))
        n = len(batch.seen)
        b = levels[torch.randint(len(levels), (n,), generator=generator)].to(backend.device)
        noisy = torch.rand(n, generator=generator) < 0.8
        sigma = (torch.rand(n, generator=generator) * settings.noise * noisy).to(backend.device)
        sigma = torch.where(b >= 1, torch.zeros_like(sigma), sigma)
        noise = torch.randn(batch.seen.shape, generator=generator).to(backend.device)
        z = state(batch.normal, batch.seen, b, sigma, noise)
        previous = _previous(batch.mask, b, generator)
        appearance = None
        if settings.prior_level is not None:
            noise = torch.randn(batch.seen.shape, generator=generator)
            appearance = prior.normal_appearance(z, settings.prior_level, noise)
        with backend.autocast():
            estimate, logits = network(z, appearance, previous, b)
        return objective(estimate, logits, batch)

    return train(network, loss, settings.training, seed=seed + 1, checkpoint=checkpoint,
                 report=report)


def objective(estimate: Tensor, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Balanced cross-entropy and Dice on the mask, squared error of the estimated normal image.

    Without the balance, defects of 1 % of the pixels teach nothing for hundreds of steps; with
    absolute instead of squared error, the sign of tiny errors drowns what the mask has to say.
    """
    mask, weight = batch.mask, batch.weight
    pixel = F.binary_cross_entropy_with_logits(
        logits, mask, weight=weight, pos_weight=torch.tensor(POSITIVE_WEIGHT, device=mask.device))
    probability = torch.sigmoid(logits) * weight
    overlap = (probability * mask).sum((1, 2, 3))
    area = mask.sum((1, 2, 3))
    dice = 1 - (2 * overlap + 1) / (probability.sum((1, 2, 3)) + area + 1)
    dice = (dice * (area > 0)).sum() / (area > 0).sum().clamp(min=1)
    normal = ((estimate - batch.normal).pow(2) * (1 + 3 * mask)).mean()
    loss = pixel + dice + NORMAL_WEIGHT * normal
    return {"loss": loss, "pixel": pixel, "dice": dice, "normal": normal}


def _plain(bank: SampleBank, selection: Tensor, importance: Tensor) -> Tensor:
    """Chances of the plainer half of the samples alone.

    With faint defects from the start, hundreds of steps pass before anything is learned.
    """
    strength = torch.from_numpy(bank.table["strength"].to_numpy().copy())[selection]
    return importance * (strength >= strength.median())


def _draw(normals: Tensor, siblings: Siblings, selection: Tensor, importance: Tensor, bases: Tensor,
          clean_pool: Tensor, settings: DdmTrain, generator: torch.Generator) -> Batch:
    """A batch of good images and of samples, some of the latter drawn anew, at a random
    transparency."""
    n, bank = settings.training.batch, siblings.bank
    clean = max(1, round(CLEAN_SHARE * n))
    good = normals[clean_pool[torch.randint(len(clean_pool), (clean,), generator=generator)]]
    rows = selection[torch.multinomial(importance, n - clean, replacement=True,
                                       generator=generator)]
    normal, seen, labels = normals[bases[rows]], bank.images[rows].float(), bank.masks[rows]
    renewed = torch.rand(n - clean, generator=generator) < settings.fresh
    rng = np.random.default_rng(torch.randint(2**62, (1,), generator=generator).item())
    fresh = renewed & torch.tensor([siblings.can(row) for row in rows.tolist()])
    for place, row in enumerate(rows.tolist()):
        if fresh[place]:
            normal[place], seen[place], labels[place] = siblings.draw(row, rng)
    labels = labels[:, None]
    # The bank holds each defect at its own strength; fading it a little more makes more of them.
    # A sibling has its recipe's strength, and its label fits that.
    fade = torch.where(fresh, 1.0, 0.6 + 0.4 * torch.rand(n - clean, generator=generator))
    seen = normal + fade.view(-1, 1, 1, 1) * (seen - normal)
    empty = torch.zeros(clean, 1, *good.shape[2:])
    mask = torch.cat([empty, (labels == 1).float()])
    weight = torch.cat([empty + 1, (labels != IGNORED).float()])
    return Batch(torch.cat([good, normal]), torch.cat([good, seen]), mask, weight)


def _augment(batch: Batch, settings: DdmTrain, generator: torch.Generator) -> Batch:
    """Benign change, the same for what is seen and for what is normal: light, and mirror images."""
    n = len(batch.seen)
    gain = 1 + 0.15 * (2 * torch.rand(n, 1, 1, 1, generator=generator) - 1)
    offset = 0.15 * (2 * torch.rand(n, 1, 1, 1, generator=generator) - 1)
    planes = [batch.normal * gain + offset, batch.seen * gain + offset, batch.mask, batch.weight]
    if settings.flips:
        for axis in (2, 3):
            turn = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
            planes = [torch.where(turn, p.flip(axis), p) for p in planes]
    return Batch(*planes)


def _previous(mask: Tensor, b: Tensor, generator: torch.Generator) -> Tensor:
    """The earlier step's mask as it might have been: nothing, blurred, shrunk or grown.

    The first step (b = 1) has none.
    """
    n = len(mask)
    device = mask.device
    size = 5
    soft = F.avg_pool2d(mask, size, 1, size // 2)
    sharpness = (0.5 + 4 * torch.rand(n, 1, 1, 1, generator=generator)).to(device)
    shift = (torch.rand(n, 1, 1, 1, generator=generator) - 0.5).to(device)
    guess = torch.sigmoid(4 * sharpness * (soft - 0.4 + 0.6 * shift))
    guess = guess - torch.sigmoid(4 * sharpness * (-0.4 + 0.6 * shift))
    shown = (torch.rand(n, 1, 1, 1, generator=generator) < SHOWN_PREVIOUS).to(device)
    later = (b < 1).view(-1, 1, 1, 1)
    return guess.clamp(0, 1) * shown * later
