"""Stage ddm_train: train the discriminator, then calibrate it on held-out good images."""

import numpy as np
import pandas as pd
import torch
from rich.console import Console

from hdm.dagm.bank import SampleBank
from hdm.ddm.discriminator_training import fit
from hdm.detector.ddm import DDM
from hdm.diffusion.compute import Backend
from hdm.errors import TrainingError
from hdm.files import atomic_folder, write_json
from hdm.line import Line
from hdm.pom.discrimination.building import HeldOut, build_detector
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.inputs import format_of, normals_of, prior_of, whole_images
from hdm.stages.loss_log import LossLog
from hdm.stages.resume import checkpoint_file


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write detector/, calibration.json and loss.csv to data/<line>/ddm_train/."""
    backend = Backend(settings.compute)
    form, prior = format_of(line), prior_of(line, backend.device)
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
        network = fit(normals.train, bank, torch.from_numpy(rows["train"]), settings.ddm_train,
                      settings.benign, settings.compute, seed=settings.seed, report=log,
                      checkpoint=checkpoint_file(line, "ddm_train", settings, selection_file),
                      ignored=normals.train_ignored)
    info = {"line": line.name, "canvas": [form.height, form.width],
            "channels": form.channels, "training_images": len(normals.train),
            "training_samples": len(rows["train"]), "seed": settings.seed}
    with console.status("calibrating on held-out good images"):
        load, count = whole_images(line, "calibration", form)
        held = HeldOut(load, count, normals.calibration, bank, rows["calibration"],
                       len(normals.train))
        detector, validated = build_detector(
            DDM(form, prior, network, settings.ddm_train, backend), normals.train,
            settings.benign, held, info, normals.train_ignored)
    calibration = detector.calibration
    with atomic_folder(line.stage_folder("ddm_train")) as folder:
        detector.save(folder / "detector")
        log.save(folder / "loss.csv")
        write_json(folder / "calibration.json", calibration.as_dict() | validated)
    run.log_metrics({**validated, "smallest_false_alarm_rate": calibration.smallest_rate})
    run.log_artifact(line.stage_folder("ddm_train"))
    console.print(f"calibrated on {count} held-out good images, which certify no false-alarm "
                  f"rate below {calibration.smallest_rate:.1%}")
