"""Training the discriminators on good images and on the selected part of the sample bank."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hdm.dagm.bank import SampleBank
from hdm.ddm.batches import Batch, Batches, Scenes
from hdm.detector.discriminator import Discriminator
from hdm.detector.ensemble import Ensemble
from hdm.diffusion.compute import Backend
from hdm.diffusion.normal_prior import NormalPrior
from hdm.model_settings import Compute, DdmTrain
from hdm.training.loop import Report, train
from hdm.training.shards import Objective

POSITIVE_WEIGHT = 10.0
NORMAL_WEIGHT = 0.3
MEMBER_SEED_STEP = 1_000
"""Between the seeds of two members, so that lines with neighbouring seeds share none."""


def fit(normals: Tensor, bank: SampleBank, selection: Tensor, prior: NormalPrior,
        settings: DdmTrain, compute: Compute, *, seed: int,
        checkpoint: Path, report: Report | None = None) -> Ensemble:
    """Train and return the averaged members, one after the other, each from its own seed.

    For the arguments see `Batches` and `train`; `report` counts the steps of all members.
    """
    backend = Backend(compute)
    batches = Batches(normals, bank, selection, settings)
    ensemble = Ensemble(prior.form.channels, settings)
    for number in range(settings.members):
        own = seed + MEMBER_SEED_STEP * number
        torch.manual_seed(own)
        member = backend.place(Discriminator(prior.form.channels, settings))
        ensemble.members[number] = train(
            member, batches.draw, _judge(prior, settings, backend), settings.training,
            seed=own + 1, checkpoint=checkpoint.with_stem(f"{checkpoint.stem}-{number}"),
            report=_from(number * settings.training.steps, report))
    return ensemble


def _judge(prior: NormalPrior, settings: DdmTrain, backend: Backend) -> Objective[Batch]:
    level = settings.prior_level

    def judge(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        appearance = None
        if level is not None:
            appearance = prior.normal_appearance(batch.z, level, batch.noise)
        with backend.autocast():
            estimate, logits, _ = model(batch.z, appearance, batch.previous, batch.b)
        return objective(estimate, logits, batch)

    return judge


def _from(before: int, report: Report | None) -> Report | None:
    """`report` of what goes on after `before` steps of others."""
    return report and (lambda step, terms: report(before + step, terms))


def objective(estimate: Tensor, logits: Tensor, batch: Batch | Scenes) -> dict[str, Tensor]:
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
