"""HDM itself, from good images to a calibrated detector, and what an ablation leaves out."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks.quality.flop import counted, of_training
from benchmarks.quality.methods import trained_prior
from benchmarks.quality.methods.method import Clock, Fitted, Score, Task, parameters
from hdm.dagm.bank import SampleBank, synthesize, usable_sources
from hdm.dagm.blending import VISIBLE_PIXELS
from hdm.dagm.mask_codes import CHANGED
from hdm.ddm import discriminator_training as ddm
from hdm.detector.ddm import DDM
from hdm.detector.ensemble import Ensemble
from hdm.detector.scorer import Scorer
from hdm.diffusion.normal_prior import NormalPrior
from hdm.errors import TrainingError
from hdm.model_settings import DdmTrain
from hdm.pom.discrimination.building import HeldOut, build_scorer, calibrated
from hdm.pom.generation.sample_evidence import descriptors, measure
from hdm.pom.generation.selection import KEPT, select


@dataclass(frozen=True)
class Chosen:
    """Rows of the bank grown on training and on calibration images."""

    train: np.ndarray
    calibration: np.ndarray


def fit(task: Task, *, pom: bool = True, parts: bool = False) -> Fitted:
    """All stages of the pipeline, as the DVC stages call them; without `pom` every sample that
    visibly changed is kept. With `parts` come the ablations that judge with the same networks.

    Operations: both networks' training from runs of one and three steps, the bank and POM's
    evidence as they run (which makes these two stages slower by one to three seconds); forward
    passes that only judge the prior or calibrate are left out.
    """
    settings, seed, clock = task.params, task.seed, Clock()
    images = torch.cat([task.train, task.calibration])
    splits = ["train"] * len(task.train) + ["calibration"] * len(task.calibration)
    with clock.stage("prior"):
        prior = trained_prior.fit_steps(task, settings.dagm_fit.training.steps)
        shares = usable_sources(settings.dagm_synthesize,
                                prior.explained(task.calibration, seed), task.train,
                                task.form)
    with clock.stage("bank"):
        bank, grown = counted(lambda: synthesize(images, splits, prior, settings.dagm_synthesize,
                                                 shares, seed=seed))
    with clock.stage("pom"):
        chosen, judged = counted(lambda: _select(task, bank, images, prior) if pom
                                 else _visible(bank))
    if not len(chosen.train):
        raise TrainingError(f"none of {len(bank.table)} synthetic samples is left to train on, "
                            "expected at least one; raise dagm_synthesize.samples.")
    rows = torch.from_numpy(chosen.train)

    def train(ddm_settings: DdmTrain) -> Ensemble:
        with trained_prior.fresh_checkpoint(task, "ddm") as checkpoint:
            return ddm.fit(task.train, bank, rows, prior, ddm_settings, settings.compute, seed=seed,
                           checkpoint=checkpoint)

    with clock.stage("ddm"):
        network = train(settings.ddm_train)
    with clock.stage("calibration"):
        scorer = build_scorer(DDM(prior, network, settings.ddm_train), task.train)
        _, figures = calibrated(scorer, HeldOut(list(task.calibration), task.calibration, bank,
                                             chosen.calibration))

    flop = grown + judged
    flop += trained_prior.flop(task, settings.dagm_fit.training.steps)
    flop += of_training(lambda steps: train(_short(settings.ddm_train, steps)),
                        settings.ddm_train.training.steps)
    notes: dict[str, float | int | str] = {k: v for k, v in figures.items() if v is not None}
    notes |= {"samples_kept": len(chosen.train), "sources": ",".join(sorted(shares))}
    whole = Fitted(partial(_score, scorer), flop, parameters(prior.network, network),
                   clock.seconds, notes, any_size=True)
    return replace(whole, also=_parts(whole, scorer, task)) if parts else whole


def _parts(whole: Fitted, scorer: Scorer, task: Task) -> dict[str, Fitted]:
    """What the networks of `whole` say without evidence of normality, and without mirrorings."""
    scores = {"hdm-no-normality": _without("normality", scorer.ddm, task)
              if scorer.normality.texture else whole.score,
              "hdm-no-mirrors": _without("mirrored", scorer.ddm, task)
              if scorer.ddm.mirrored else whole.score}
    return {name: replace(whole, score=score, notes={}) for name, score in scores.items()}


def _without(setting: str, ddm: DDM, task: Task) -> Score:
    """What the same networks say with a setting of `ddm_train` switched off."""
    settings = ddm.settings.model_copy(update={setting: False})
    return partial(_score, build_scorer(DDM(ddm.prior, ddm.network, settings), task.train))


def _score(scorer: Scorer, images: Tensor) -> tuple[Tensor, Tensor]:
    found = scorer.inspect(list(images))
    return (torch.cat([one.scores for one in found]),
            torch.cat([one.pixels[:, 0] for one in found]))


def _short(settings: DdmTrain, steps: int) -> DdmTrain:
    training = settings.training.model_copy(update={"steps": steps})
    return settings.model_copy(update={"training": training})


def _select(task: Task, bank: SampleBank, images: Tensor, prior: NormalPrior) -> Chosen:
    evidence = measure(bank, images, prior, seed=task.seed)
    table = select(evidence, _visible_pixels(bank), descriptors(bank, images),
                   task.params.pom_filter).table
    kept = (table["reason"] == KEPT).to_numpy()
    return _chosen(bank, kept)


def _visible(bank: SampleBank) -> Chosen:
    kept = _visible_pixels(bank) >= VISIBLE_PIXELS
    return _chosen(bank, kept)


def _visible_pixels(bank: SampleBank) -> np.ndarray:
    return (bank.masks == CHANGED).sum((1, 2)).numpy()


def _chosen(bank: SampleBank, kept: np.ndarray) -> Chosen:
    split = bank.table["split"].to_numpy()
    return Chosen(*(np.flatnonzero(kept & (split == name)) for name in ("train", "calibration")))
