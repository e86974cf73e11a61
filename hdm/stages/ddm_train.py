"""Stage ddm_train: train the discriminator, calibrate it on held-out good images, and let it learn
from what people said of its answers."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.markup import escape

from hdm.dagm.bank import SampleBank
from hdm.dagm.feedback_images import FeedbackImages
from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.ddm.batches import Batches
from hdm.ddm.discriminator_training import fit, refine
from hdm.ddm.feedback_batches import FeedbackBatches
from hdm.detector.ddm import DDM
from hdm.detector.detector import HDM
from hdm.detector.ensemble import Ensemble
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
                      checkpoint=checkpoint, ignored=normals.train_ignored)
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
            shown = Batches(normals.train, bank, torch.from_numpy(rows["train"]),
                            settings.ddm_train, settings.benign, normals.train_ignored)
            detector, validated = _learn(detector, said, shown, held, settings, checkpoint)
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


def _learn(before: HDM, said: Learned, shown: Batches, held: HeldOut, settings: Params,
           checkpoint: Path) -> tuple[HDM, dict[str, Any]]:
    """The detector that has learned, and notes; see `learn`."""
    module = before.scorer.ddm

    def refined(images: FeedbackImages, name: str) -> Ensemble:
        batches = FeedbackBatches(shown, images, anywhere=module.form.fit == "tile")
        return refine(module.network, batches, settings.ddm_train, settings.compute,
                      seed=settings.seed, checkpoint=_named(checkpoint, name, said))

    return learn(before, said.defects, said.alarms, shown.normals, settings.benign, held, refined,
                 seed=settings.seed, ignored=shown.ignored)


def _named(checkpoint: Path, name: str, said: Learned) -> Path:
    """A resume point of its own for each part of the learning, and for each state of feedback."""
    told = "".join(entry.model_dump_json() for entry in said.entries)
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    return checkpoint.with_stem(f"{checkpoint.stem}-{digest}-{name}")


def _tell(console: Console, said: Learned, notes: dict[str, Any]) -> None:
    for name, reason in said.aside.items():
        console.print(f"feedback on {escape(name)} is left aside: {reason}")
    if not said.entries:
        return
    words = " and ".join(f"{count} {kind}{'' if count == 1 else 's'}" for count, kind in (
        (len(said.defects), "confirmed defect"), (len(said.alarms), "false alarm")))
    console.print(f"learned from {words}" if notes["learned"] else
                  f"{words} taught nothing: defects that were left out were found better before; "
                  "give more of them, or draw them")


def _good_pictures(images: Manifest) -> GoodPictures:
    """A split's images, native, read when they are asked for, and the parts that they show."""
    rows = list(images)
    return GoodPictures(lambda number: read_image(images.image_file(rows[number])),
                        [row.group for row in rows])
