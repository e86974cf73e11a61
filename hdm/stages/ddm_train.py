"""Stage ddm_train: train the discriminator, calibrate it on held-out good images, and let it learn
from what people said of its answers."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.markup import escape

from hdm.dagm.bank import SampleBank
from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.ddm.discriminator_training import fit
from hdm.detector.ddm import DDM
from hdm.diffusion.compute import Backend
from hdm.errors import TrainingError
from hdm.files import atomic_folder, write_json
from hdm.line import Line
from hdm.pom.discrimination.building import HeldOut, build_detector
from hdm.pom.discrimination.decidability_fit import GoodPictures, fit_decidability
from hdm.pom.discrimination.learning_feedback import learn
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.feedback_inputs import Learned, feedback_of
from hdm.stages.inputs import format_of, normals_of, prior_of, whole_images
from hdm.stages.loss_log import LossLog
from hdm.stages.resume import checkpoint_file

FIGURES = ("synthetic_image_auroc", "synthetic_pixel_auroc")


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write detector/, calibration.json, feedback/ and loss.csv to data/<line>/ddm_train/."""
    backend = Backend(settings.compute)
    form, prior = format_of(line), prior_of(line, backend.device)
    manifest = Manifest.load(line.manifest_file, line.source_root)
    said = feedback_of(line, manifest, form.ignored)
    normals = normals_of(line, settings, form)
    bank = SampleBank.load(line.stage_folder("dagm_synthesize"))
    selection_file = line.stage_folder("pom_filter") / "selection.parquet"
    selection = pd.read_parquet(selection_file)
    rows = {split: np.flatnonzero((selection["reason"] == "kept") & (selection["split"] == split))
            for split in ("train", "calibration")}
    if not len(rows["train"]):
        raise TrainingError(
            f"{line.name}: none of {len(selection)} synthetic samples passed pom_filter, expected "
            f"at least one; see {selection_file.with_name('funnel.json')} for the reasons, then "
            "lower pom_filter.minimum_detectability or raise dagm_synthesize.samples.")
    with progress_bar(console, "training the discriminator") as report:
        steps = settings.ddm_train.members * settings.ddm_train.training.steps
        log = LossLog(run, steps, report)
        checkpoint = checkpoint_file(line, "ddm_train", settings, selection_file)
        network = fit(normals.train, bank, torch.from_numpy(rows["train"]), settings.ddm_train,
                      settings.benign, settings.compute, seed=settings.seed, report=log,
                      checkpoint=checkpoint, ignored=normals.train_ignored,
                      look=None if prior is None else prior.encoder.stages)
    info = {"line": line.name, "canvas": [form.height, form.width],
            "channels": form.channels, "training_images": len(normals.train),
            "training_samples": len(rows["train"]), "seed": settings.seed}
    with console.status("calibrating on held-out good images"):
        load, groups = whole_images(line, "calibration", form)
        held = HeldOut(load, len(groups), normals.calibration, bank, rows["calibration"],
                       len(normals.train), groups)
        ddm = DDM(form, prior, network, settings.ddm_train, backend)
        decidability = fit_decidability(
            ddm, _good_pictures(manifest.split("train")),
            _good_pictures(manifest.split("calibration")), settings.benign,
            settings.ddm_train.undecidable_rate, seed=settings.seed)
        validated: dict[str, Any]
        detector, validated = build_detector(ddm, normals.train, settings.benign, held, info,
                                             decidability=decidability,
                                             ignored=normals.train_ignored)
    if said.entries:
        with console.status("learning from feedback"):
            detector, validated = learn(
                detector, said.defects, said.alarms, normals.train, settings.benign, held,
                seed=settings.seed, ignored=normals.train_ignored)
    calibration = detector.calibration
    with atomic_folder(line.stage_folder("ddm_train")) as folder:
        detector.save(folder / "detector")
        if said.entries:
            said.copy_to(folder / line.learned_feedback.name)
        log.save(folder / "loss.csv")
        write_json(folder / "calibration.json", calibration.as_dict() | validated)
    run.log_metrics({**{name: validated.get(name) for name in FIGURES},
                     "smallest_false_alarm_rate": calibration.smallest_rate})
    run.log_artifact(line.stage_folder("ddm_train"))
    console.print(f"calibrated on {len(calibration.normal_scores)} held-out good images of "
                  f"{len(calibration.part_scores)} parts, which can promise no false-alarm rate "
                  f"below {calibration.smallest_rate:.1%}")
    limits = decidability.limits
    console.print(f"good parts that may be undecidable: {limits.rate:.1%}, " + (
        f"certified by {limits.parts} held-out parts" if limits.certified else
        f"extrapolated, as {limits.parts} held-out parts certify no rate below "
        f"{limits.smallest_rate:.1%}"))
    _tell(console, said, validated)


def _tell(console: Console, said: Learned, notes: dict[str, Any]) -> None:
    for name, reason in said.aside.items():
        console.print(f"feedback on {escape(name)} is left aside: {reason}")
    if not said.entries:
        return
    if len(said.defects):
        words = f"{len(said.defects)} confirmed defect{'' if len(said.defects) == 1 else 's'}"
        console.print(
            f"{words}: what is near them in the space of latents is evidence now"
            if notes["learned"] else
            f"{words} taught nothing: those that were left out were found better before; give "
            "more of them, or draw them" if notes["worth"] else
            f"{words} taught nothing: the line has no backbone in whose latents to look for them, "
            "or they lie where nothing is inspected")
    if len(said.alarms):
        words = f"{len(said.alarms)} false alarm{'' if len(said.alarms) == 1 else 's'}"
        console.print(f"{words}: joined the good images" if notes["joined"] else
                      f"{words}: what confirmed defects share with them counts half"
                      if notes["learned"] else f"{words} taught nothing: where parts are judged by "
                      "tiles they are set against confirmed defects, and none has a say")


def _good_pictures(images: Manifest) -> GoodPictures:
    """A split's images, native, read when they are asked for, and the parts that they show."""
    return GoodPictures(lambda number: read_image(images.image_file(images.row(number))),
                        list(images.frame["group"]))
