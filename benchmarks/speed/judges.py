"""Detectors of one set that differ from trained ones in what they have learned alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.quality.flop import counted
from benchmarks.quality.methods import METHODS, Task
from benchmarks.quality.methods.hdm_method import train_discriminators, train_prior
from benchmarks.quality.methods.method import whole
from benchmarks.quality.presets import params_of
from benchmarks.quality.sets import read_set
from hdm.backbone.encoder import Encoder
from hdm.dagm.bank import synthesize, usable_sources
from hdm.dagm.latent_vectors import collect, training_views
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_normals, load_prepared, load_whole
from hdm.detector.ddm import DDM
from hdm.diffusion.compute import Backend
from hdm.pom.discrimination.building import HeldOut, build_detector

Judge = Callable[[list[np.ndarray]], object]
NAMES = ("hdm", "patchcore", "draem")
IMAGES = 24
"""Of each split: enough to train on for a few steps."""
SHORT: dict[str, Any] = {
    "dagm_fit": {"views": 1, "training": {"steps": 5, "batch": 256}},
    "dagm_synthesize": {"samples": 40},
    "ddm_train": {"training": {"steps": 5}},
}
DRAEM_SECONDS = 5.0


def judges(folder: Path, preset: str, threads: int, scratch: Path
           ) -> tuple[list[Path], dict[str, Judge], Callable[[np.ndarray], float]]:
    """Files of the test split, what judges pictures by method, and the encoder's operations on a
    picture, which the counter does not see."""
    params = params_of(preset, seed=0, threads=threads, over=SHORT)
    manifest = read_set(folder, seed=0, limit=IMAGES,
                        calibration_fraction=params.ingest.calibration_fraction)
    train, held = manifest.split("train"), manifest.split("calibration")
    form = METHODS["hdm"].form_of(train, params.image)
    backend = Backend(params.compute)
    views = training_views(load_prepared(train, form), form, 1, params.benign, seed=0)
    task = Task(load_normals(train, form, seed=0), load_normals(held, form, seed=0), form, params,
                0, DRAEM_SECONDS, scratch, views, len(train), load_whole(held, form))
    encoder = Encoder.published(backend.device)

    def encoder_flop(picture: np.ndarray) -> float:
        seen = form.for_encoder(form.prepare(picture)[None]).expand(-1, 3, -1, -1)
        seen = seen.to(encoder.device)
        with torch.no_grad():
            return counted(lambda: encoder.network(seen))[1]

    made: dict[str, Judge] = {"hdm": _hdm(task, encoder, backend)}
    for name in NAMES[1:]:
        own = METHODS[name].form_of(train, params.image)
        score = whole(METHODS[name].fit(_on(task, manifest, own)), own)
        made[name] = _by(score, own)
    return [manifest.image_file(row) for row in manifest.split("test")], made, encoder_flop


def _on(task: Task, manifest: Manifest, form: InputFormat) -> Task:
    """The same images in another form."""
    if form == task.form:
        return task
    normals, held = (load_normals(manifest.split(part), form, seed=0)
                     for part in ("train", "calibration"))
    return replace(task, train=normals, calibration=held, form=form)


def _by(score: Callable[[Tensor], tuple[Tensor, Tensor]], form: InputFormat) -> Judge:
    def judge(pictures: list[np.ndarray]) -> object:
        prepared = [form.prepare(picture) for picture in pictures]
        if len({image.shape for image in prepared}) == 1:
            return score(torch.stack(prepared))
        return [score(image[None]) for image in prepared]

    return judge


def _hdm(task: Task, encoder: Encoder, backend: Backend) -> Judge:
    params = task.params
    space, vectors = collect(task.views, task.count, encoder, params.dagm_fit.dimensions, seed=0)
    prior = train_prior(task, space, vectors, encoder, backend, params.dagm_fit)
    bank = synthesize(task.train, ["train"] * len(task.train), params.dagm_synthesize,
                      usable_sources(params.dagm_synthesize, task.train), seed=0)
    network = train_discriminators(task, bank, torch.arange(len(bank.table)), params.ddm_train,
                                   encoder)
    ddm = DDM(task.form, prior, network, params.ddm_train, backend)
    held = HeldOut(task.held.__getitem__, len(task.held), task.calibration, bank,
                   np.empty(0, int), len(task.train))
    detector, _ = build_detector(ddm, task.train, params.benign, held, {})
    return detector.predict
