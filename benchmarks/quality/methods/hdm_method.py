"""HDM itself, from good images to evidence, and what an ablation joins or leaves out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from benchmarks.quality.flop import counted, of_training
from benchmarks.quality.methods.method import Clock, Fitted, Join, Score, Task, parameters
from hdm.backbone.encoder import Encoder
from hdm.dagm import latent_training
from hdm.dagm.bank import SampleBank, synthesize, usable_sources
from hdm.dagm.blending import VISIBLE_PIXELS
from hdm.dagm.latent_vectors import LatentVectors, collect
from hdm.dagm.mask_codes import CHANGED
from hdm.ddm import discriminator_training
from hdm.detector.ddm import DDM
from hdm.detector.ensemble import Ensemble
from hdm.detector.evidence import worst
from hdm.detector.normality import Normality
from hdm.detector.scorer import beside
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import RESIDUAL_LEVELS, LatentPrior
from hdm.diffusion.latent_space import LatentSpace
from hdm.errors import TrainingError
from hdm.model_settings import DagmFit, DdmTrain
from hdm.pom.discrimination.building import normality_of
from hdm.pom.discrimination.fusion_fit import fit_fusion
from hdm.pom.generation.sample_evidence import descriptors, measure
from hdm.pom.generation.selection import KEPT, select

Trained = TypeVar("Trained", DagmFit, DdmTrain)
LEVELS = (0.2, 0.34, 0.5, 0.66)
KINDS = (*(f"residual {level}" for level in LEVELS), "inversion", "logits", "texture")
"""Maps that are stored of each image: residuals at more levels than HDM reads, so that levels are
studied without training again; HDM joins the last two before it joins all."""
READ = [*(LEVELS.index(level) for level in RESIDUAL_LEVELS), len(LEVELS)]
"""Kinds of the diffusion that HDM reads: residuals, then inversion."""


def fit(task: Task, *, pom: bool = True) -> Fitted:
    """All stages of the pipeline, as the DVC stages call them; without `pom` every sample that
    visibly changed is kept.

    Operations: training from runs of one and three steps, the encoder's and POM's as they run;
    forward passes that only judge or calibrate are left out.
    """
    settings, clock, backend = task.params, Clock(), Backend(task.params.compute)
    with clock.stage("encode"):
        encoder = Encoder.published(backend.device)
        space, vectors = collect(task.views, task.count, encoder, settings.dagm_fit.dimensions,
                                 seed=task.seed)
    with clock.stage("prior"):
        prior = train_prior(task, space, vectors, encoder, backend, settings.dagm_fit, clock)
        prior, quality = latent_training.told_what_helps(
            prior, lambda number: task.form.for_encoder(task.held[number][None]), len(task.held))
    with clock.stage("bank"):
        images = torch.cat([task.train, task.calibration])
        splits = ["train"] * len(task.train) + ["calibration"] * len(task.calibration)
        bank = synthesize(images, splits, settings.dagm_synthesize,
                          usable_sources(settings.dagm_synthesize, task.train), seed=task.seed)
    with clock.stage("pom"):
        rows, judged = counted(lambda: _rows(task, bank, images, prior, pom=pom))
    with clock.stage("ddm"):
        network = train_discriminators(task, bank, rows, settings.ddm_train, encoder, clock)
    with clock.stage("normality"):
        ddm = DDM(task.form, prior, network, settings.ddm_train, backend)
        normality = normality_of(ddm, task.train, settings.benign)
    alone = replace(task, params=settings.model_copy(update={
        "compute": settings.compute.model_copy(update={"threads": 1})}))
    single = Backend(alone.params.compute)
    flop = judged + encoder_flop(task, encoder) + shown_flop(task, encoder, network)
    flop += of_training(
        lambda steps: train_prior(alone, space, vectors, encoder, single,
                                  _short(settings.dagm_fit, steps)),
        settings.dagm_fit.training.steps)
    flop += of_training(
        lambda steps: train_discriminators(alone, bank, rows, _short(settings.ddm_train, steps),
                                           encoder),
        settings.ddm_train.training.steps) * settings.ddm_train.members
    Backend(settings.compute)  # all threads again
    notes: dict[str, float | int | str] = {
        "samples_kept": len(rows), **{f"told_{k}": str(v) for k, v in prior.told._asdict().items()}}
    return Fitted(None, flop, parameters(prior.network, network), clock.seconds,
                  {**notes, **quality}, evidence=partial(evidence, ddm, normality),
                  joins=joins((task.form.height, task.form.width),
                              tiled=task.form.fit == "tile"))


def encoder_flop(task: Task, encoder: Encoder) -> float:
    """Operations of encoding all views, from one image's; OpenVINO is not seen by the counter."""
    return task.count * _encoding(task.views(0), encoder)


def shown_flop(task: Task, encoder: Encoder, network: Ensemble) -> float:
    """Operations of encoding all that the discriminators were shown, from one image's."""
    taught = task.params.ddm_train
    images = taught.training.steps * taught.training.batch * taught.members
    return images * _encoding(task.train[:1], encoder) if network.seeing else 0.0


@torch.no_grad()
def _encoding(images: Tensor, encoder: Encoder) -> float:
    seen = images.to(encoder.device).expand(-1, 3, -1, -1)
    return counted(lambda: encoder.network(seen))[1]


@torch.no_grad()
def evidence(ddm: DDM, normality: Normality, images: Sequence[Tensor]) -> list[Tensor]:
    """Each prepared image's maps of all `KINDS`, (7, h, w)."""
    found = []
    assert ddm.prior is not None
    for image in images:
        latents = ddm.prior.latents(ddm.form.for_encoder(image[None]))
        diffusion = ddm.prior.evidence(latents, LEVELS)
        seen = ddm.form.for_discriminator(image[None])
        kinds = normality.kinds(seen, ddm.taught(seen))
        found.append(beside(diffusion, kinds)[0].half())
    return found


def join(pick: Callable[[Tensor], Tensor], canvas: tuple[int, int], held: Sequence[Tensor], *,
         tiled: bool, taught: float | None = None) -> Score:
    """A way to join stored maps, fitted on those of held-out good images; taught: weight of the
    last kind that is picked, HDM's own if None."""
    fusion = fit_fusion([pick(maps[None].float()) for maps in held], canvas, tiled=tiled,
                        taught=taught)

    def score(maps: Tensor) -> tuple[Tensor, Tensor]:
        found = fusion.evidence(pick(maps.float()), canvas)
        return found.scores, found.pixels[:, 0]

    return score


def _taught(maps: Tensor) -> Tensor:
    return maps[:, -2:].sum(1, keepdim=True)


def _three(maps: Tensor) -> Tensor:
    return torch.cat([maps[:, READ], _taught(maps)], 1)


def join_by_pixel(combine: Callable[[Tensor], Tensor], held: Sequence[Tensor]) -> Score:
    """Instead of POM's units: deviations of single pixels of held-out good images, combined."""
    flat = torch.cat([_three(maps[None].float())[0].flatten(1) for maps in held], 1)
    centre, spread = (figure.view(1, -1, 1, 1) for figure in (flat.mean(1), flat.std(1)))

    def score(maps: Tensor) -> tuple[Tensor, Tensor]:
        pixels = combine((_three(maps.float()) - centre) / spread)
        return worst(pixels), pixels[:, 0]

    return score


JOINS: dict[str, Callable[[Tensor], Tensor]] = {
    "hdm": _three,
    "hdm-no-diffusion": _taught,
    "hdm-no-discriminator": lambda maps: maps[:, [*READ, -1]],
    "hdm-diffusion-alone": lambda maps: maps[:, READ],
    "hdm-no-inversion": lambda maps: torch.cat([maps[:, READ[:-1]], _taught(maps)], 1),
    "hdm-no-residual": lambda maps: torch.cat([maps[:, READ[-1:]], _taught(maps)], 1),
    "hdm-no-texture": lambda maps: maps[:, [*READ, -2]],
}


COMBINED: dict[str, Callable[[Tensor], Tensor]] = {
    "hdm-mean-of-z": lambda maps: maps.mean(1, keepdim=True),
    "hdm-maximum": lambda maps: maps.amax(1, keepdim=True),
}


def joins(canvas: tuple[int, int], *, tiled: bool) -> dict[str, Join]:
    """HDM's own way to join its maps, and the others, by name."""
    own: dict[str, Join] = {name: partial(join, pick, canvas, tiled=tiled)
                            for name, pick in JOINS.items()}
    # Its last kind is of the diffusion, too, and weighs no more than the others.
    own["hdm-diffusion-alone"] = partial(join, JOINS["hdm-diffusion-alone"], canvas, tiled=tiled,
                                         taught=1 / len(READ))
    return own | {name: partial(join_by_pixel, combine) for name, combine in COMBINED.items()}


def train_prior(task: Task, space: LatentSpace, vectors: LatentVectors, encoder: Encoder,
                backend: Backend, settings: DagmFit, clock: Clock | None = None) -> LatentPrior:
    """The line's latent prior, as it is trained; `told_what_helps` decides the rest. With a clock
    an interrupted training is gone on with."""
    with task.resume_point("prior", clock) as (checkpoint, report):
        return latent_training.fit(vectors, space, encoder, settings, backend, seed=task.seed,
                                   checkpoint=checkpoint, report=report)


def train_discriminators(task: Task, bank: SampleBank, rows: Tensor, settings: DdmTrain,
                         encoder: Encoder, clock: Clock | None = None) -> Ensemble:
    """The line's discriminators, trained on these rows of the bank. With a clock an interrupted
    training is gone on with."""
    with task.resume_point("ddm", clock) as (checkpoint, report):
        return discriminator_training.fit(task.train, bank, rows, settings, task.params.benign,
                                          task.params.compute, seed=task.seed,
                                          checkpoint=checkpoint, report=report,
                                          look=encoder.stages)


def _short(settings: Trained, steps: int) -> Trained:
    """Another number of steps, of one member."""
    training = settings.training.model_copy(update={"steps": steps})
    one: dict[str, int] = {"members": 1} if isinstance(settings, DdmTrain) else {}
    return settings.model_copy(update={"training": training, **one})


def _rows(task: Task, bank: SampleBank, images: Tensor, prior: LatentPrior, *, pom: bool) -> Tensor:
    """Rows of the bank, grown on training images, that are trained on."""
    visible = (bank.masks == CHANGED).sum((1, 2)).numpy()
    kept = visible >= VISIBLE_PIXELS
    if pom:
        table = select(measure(bank, images, prior, task.form, seed=task.seed), visible,
                       descriptors(bank, images), task.params.pom_filter).table
        kept = (table["reason"] == KEPT).to_numpy()
    rows = np.flatnonzero(kept & (bank.table["split"] == "train").to_numpy())
    if not len(rows):
        raise TrainingError(f"none of {len(bank.table)} synthetic samples is left to train on, "
                            "expected at least one; raise dagm_synthesize.samples.")
    return torch.from_numpy(rows)
