"""One line before and after people told it of false alarms and defects."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.feedback.by_part import figures, recall_at
from benchmarks.feedback.said import draw
from benchmarks.quality.job import commit, device_name
from benchmarks.quality.methods.method import Clock
from benchmarks.quality.presets import PRESETS, params_of
from benchmarks.quality.sets import read_set
from hdm.backbone.encoder import Encoder
from hdm.dagm import latent_training
from hdm.dagm.bank import SampleBank, synthesize, usable_sources
from hdm.dagm.latent_vectors import collect, training_views
from hdm.dagm.mask_codes import CHANGED
from hdm.dataset.held_out import joining_images
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_normals, load_prepared, measure_format
from hdm.ddm import discriminator_training
from hdm.detector.ddm import DDM, with_nearness
from hdm.detector.detector import HDM
from hdm.detector.scorer import Scorer, beside
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import LatentPrior
from hdm.pom.discrimination.building import HeldOut, build_detector
from hdm.pom.discrimination.learning_feedback import learn
from hdm.pom.generation.sample_evidence import descriptors, measure
from hdm.pom.generation.selection import KEPT, select
from hdm.settings import Params

DEFECTS, ALARMS = 10, 20
STEM = "checkpoint.safetensors"


def run(folder: Path, preset: str, seed: int, threads: int | None = None,
        masks: bool = True) -> dict[str, Any]:
    """The row of one set and seed; without `masks` the defects' pixels are kept back."""
    params, clock, begun = params_of(preset, seed=seed, threads=threads), Clock(), perf_counter()
    backend = Backend(params.compute)
    manifest = read_set(folder, seed=seed, limit=PRESETS[preset].images, good=PRESETS[preset].good,
                        calibration_fraction=params.ingest.calibration_fraction)
    train, held, test = map(manifest.split, ("train", "calibration", "test"))
    form = measure_format(train, params.image)
    with clock.stage("read"):
        normals, others = (load_normals(images, form, seed=seed)
                           for images in (train, joining_images(manifest)))
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as scratch:
        with clock.stage("prior"):
            prior = _prior(params, train, held, form, backend, Path(scratch))
        with clock.stage("samples"):
            bank, rows = _samples(params, normals, others, prior, form)
        with clock.stage("discriminators"):
            network = discriminator_training.fit(
                normals, bank, torch.from_numpy(rows["train"]), params.ddm_train, params.benign,
                params.compute, seed=seed, checkpoint=Path(scratch) / STEM,
                look=prior.encoder.stages)
        kept = HeldOut(load_prepared(held, form), len(held), others, bank, rows["calibration"],
                       len(normals), tuple(held.frame["group"]))
        with clock.stage("before"):
            before, _ = build_detector(DDM(form, prior, network, params.ddm_train, backend),
                                       normals, params.benign, kept, {})
            load = load_prepared(test, form)
            seen = [known_of(before, load(number)) for number in range(len(test))]
            first = scores(before.scorer, seen)
        said = draw(test, first, defects=DEFECTS, alarms=ALARMS, seed=seed)
        defects = said.defects if masks else Manifest(
            said.defects.frame.assign(mask_path=None), said.defects.root)
        with clock.stage("feedback"):
            after, notes = learn(before, defects, said.alarms, normals, params.benign, kept,
                                 seed=seed)
        with clock.stage("after"):
            second = scores(after.scorer, seen)
    where = test.frame["path"].isin(said.rest.frame["path"]).to_numpy()
    was = figures(said.rest, first[where], before.threshold)
    now = figures(said.rest, second[where], after.threshold)
    told = {name: {"before": _of(test, images, first), "after": _of(test, images, second)}
            for name, images in (("defects", said.defects), ("alarms", said.alarms))}
    now["recall_at_equal_false_alarms"] = _at_equal(said.rest, second[where],
                                                    was["false_alarms"])
    return {"set": folder.name, "preset": preset, "seed": seed, "masks": masks,
            "masks_given": int(defects.frame["mask_path"].notna().sum()),
            "before": was, "after": now, "told": told, "notes": notes,
            "seconds": clock.seconds, "total_seconds": perf_counter() - begun,
            "device": device_name(backend.device), "threads": torch.get_num_threads(),
            "fit": form.fit, "commit": commit()}


class Known(NamedTuple):
    """Of one test image what stays when a detector learns from people: latents (1, D, h, w), maps
    of the diffusion, what the discriminators see, and their logits."""

    latents: Tensor
    diffusion: Tensor
    seen: Tensor
    logits: Tensor


def known_of(detector: HDM, image: Tensor) -> Known:
    """Of a prepared image (C, H, W)."""
    ddm = detector.scorer.ddm
    latents, seen = ddm.latents(ddm.form.for_encoder(image[None])), \
        ddm.form.for_discriminator(image[None])
    diffusion = ddm.of_latents(latents)
    assert latents is not None and diffusion is not None
    return Known(latents.half(), diffusion.half(), seen.half(), ddm.taught(seen))


def scores(scorer: Scorer, images: list[Known]) -> np.ndarray:
    """Of every test image, (N,)."""
    found = []
    for one in images:
        maps = with_nearness(one.diffusion.float(), one.latents.float(), scorer.ddm.told)
        taught = scorer.normality.joined(one.seen.float(), one.logits)
        found.append(scorer.fusion.evidence(beside(maps, taught), scorer.canvas).scores.item())
    return np.array(found)


def _prior(params: Params, train: Manifest, held: Manifest, form: InputFormat, backend: Backend,
           scratch: Path) -> LatentPrior:
    encoder, own = Encoder.published(backend.device), params.dagm_fit
    space, vectors = collect(training_views(load_prepared(train, form), form, own.views,
                                            params.benign, seed=params.seed), len(train), encoder,
                             own.dimensions, seed=params.seed)
    prior = latent_training.fit(vectors, space, encoder, own, backend, seed=params.seed,
                                checkpoint=scratch / f"prior-{STEM}")
    load = load_prepared(held, form)
    return latent_training.told_what_helps(
        prior, lambda number: form.for_encoder(load(number)[None]), len(held))[0]


def _samples(params: Params, normals: Tensor, others: Tensor, prior: LatentPrior,
             form: InputFormat) -> tuple[SampleBank, dict[str, np.ndarray]]:
    """The grown defects, and rows of those worth learning from by split."""
    images = torch.cat([normals, others])
    splits = ["train"] * len(normals) + ["calibration"] * len(others)
    bank = synthesize(images, splits, params.dagm_synthesize,
                      usable_sources(params.dagm_synthesize, normals), seed=params.seed)
    visible = (bank.masks == CHANGED).sum((1, 2)).numpy()
    table = select(measure(bank, images, prior, form, seed=params.seed), visible,
                   descriptors(bank, images), params.pom_filter).table
    return bank, {split: np.flatnonzero((table["reason"] == KEPT) & (table["split"] == split))
                  for split in ("train", "calibration")}


def _of(test: Manifest, part: Manifest, found: np.ndarray) -> list[float]:
    at = {path: number for number, path in enumerate(test.frame["path"])}
    return [round(float(found[at[path]]), 4) for path in part.frame["path"]]


def _at_equal(rest: Manifest, found: np.ndarray, rate: float) -> float:
    parts = rest.frame.assign(score=found).groupby("group").agg(
        score=("score", "max"), label=("label", "max"))
    bad, good = (parts["score"][parts["label"] == label].to_numpy() for label in (1, 0))
    return recall_at(bad, good, rate)
