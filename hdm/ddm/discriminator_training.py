"""Training the discriminators on good images and on the selected part of the sample bank."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hdm.dagm.bank import SampleBank
from hdm.dagm.sources import REPAINT
from hdm.ddm.batches import Batch, Batches
from hdm.detector.discriminator import Discriminator
from hdm.detector.ensemble import Ensemble, Look, blind
from hdm.diffusion.compute import Backend
from hdm.model_settings import Benign, Compute, DdmTrain
from hdm.training.loop import Report, train
from hdm.training.shards import Objective

POSITIVE_WEIGHT = 10.0
MEMBER_SEED_STEP = 1_000
"""Between the seeds of two members, so that lines with neighbouring seeds share none."""


def fit(normals: Tensor, bank: SampleBank, selection: Tensor, settings: DdmTrain,
        benign: Benign, compute: Compute, *, seed: int, checkpoint: Path,
        report: Report | None = None, ignored: Tensor | None = None,
        look: Look | None = None) -> Ensemble:
    """Train and return the averaged members, one after the other, each from its own seed.

    look: what they are shown beside an image; None without a backbone. Where all defects are
    repainted, on a line of two tones, they are shown the image alone: the frozen encoder, which
    knows no such pictures, would tell them of repainting what real defects do not show
    (docs/experiments.md, "What the encoder sees"). For the other arguments see `Batches` and
    `train`; `report` counts the steps of all members.
    """
    backend = Backend(compute)
    batches = Batches(normals, bank, selection, settings, benign, ignored)
    if (bank.table["source"] == REPAINT).all():
        look = None
    ensemble = Ensemble(normals.shape[1], settings, seeing=look is not None)
    for number in range(settings.members):
        own = seed + MEMBER_SEED_STEP * number
        torch.manual_seed(own)
        member = backend.place(Discriminator(normals.shape[1], settings,
                                             seeing=look is not None))
        ensemble.members[number] = train(
            member, batches.draw, _judge(backend, look or blind), settings.training,
            seed=own + 1, checkpoint=checkpoint.with_stem(f"{checkpoint.stem}-{number}"),
            report=_from(number * settings.training.steps, report))
    return ensemble


def _judge(backend: Backend, look: Look) -> Objective[Batch]:
    def judge(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        stages = look(batch.seen)
        with backend.autocast():
            logits = model(batch.seen, stages)
        return objective(logits.float(), batch)

    return judge


def _from(before: int, report: Report | None) -> Report | None:
    """`report` of what goes on after `before` steps of others."""
    return report and (lambda step, terms: report(before + step, terms))


def objective(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Balanced cross-entropy and Dice on the mask.

    Without the balance, defects of 1 % of the pixels teach nothing for hundreds of steps.
    """
    mask, weight = batch.mask, batch.weight
    pixel = F.binary_cross_entropy_with_logits(
        logits, mask, weight=weight, pos_weight=torch.tensor(POSITIVE_WEIGHT, device=mask.device))
    probability = torch.sigmoid(logits) * weight
    overlap = (probability * mask).sum((1, 2, 3))
    area = mask.sum((1, 2, 3))
    dice = 1 - (2 * overlap + 1) / (probability.sum((1, 2, 3)) + area + 1)
    dice = (dice * (area > 0)).sum() / (area > 0).sum().clamp(min=1)
    return {"loss": pixel + dice, "pixel": pixel, "dice": dice}
