"""A tiny line to train: 64 px, three steps."""

import hashlib
import shutil

import numpy as np
import tiny

from hdm.dataset.feedback_entries import FeedbackEntry, mask_hash
from hdm.dataset.images import pixel_hash
from hdm.dataset.manifest import Manifest, Row
from hdm.feedback.saying import keep
from hdm.line import Line
from hdm.stages.runner import run_stage

TRAINING = ("dagm_fit", "dagm_synthesize", "pom_filter", "ddm_train")
NETWORK = {"stem": 4, "widths": [16], "blocks": 1}
PARAMS = {
    "compute": {"device": "cpu", "precision": "fp32", "threads": 1},
    "image": {"size": 64},
    "dagm_fit": {"dimensions": 8, "views": 1, "network": {"width": 16, "blocks": 1},
                 "training": {"steps": 3, "batch": 64}},
    "dagm_synthesize": {"samples": 20},
    "pom_filter": {"minimum_gap": 0.0, "minimum_detectability": 0.0},
    "ddm_train": {"network": NETWORK, "training": {"steps": 3, "batch": 4}},
}


def make_line(folder, params=None):
    """16 images of 64 px, 12 for training and 4 for calibration, and 3 defects for test."""
    project = tiny.write_project(folder, PARAMS | (params or {}))
    rng, rows = np.random.default_rng(0), []
    x = np.arange(64)
    for index in range(19):
        image = 128 + 40 * np.sin(x / 3 + rng.uniform(0, 6)) + rng.normal(0, 4, (64, 64))
        kind = "good" if index < 16 else "spot"
        if kind == "spot":
            image[20:30, 20:30] = 20
        name = f"{kind}/{index:02}.png"
        tiny.write_png(project / "images" / name, np.clip(image, 0, 255).astype(np.uint8))
        split = "train" if index < 12 else "calibration" if index < 16 else "test"
        rows.append(Row(name, split, int(index >= 16), kind, None, name, 64, 64, 1, 8, 8,
                        f"{index:064}"))
    line = Line.load("plate", project)
    Manifest.of(rows, line.source_root).save(line.manifest_file)
    run_stage("configure", "plate", project)
    return line


def tell(line, verdict: str, seed: int, *, masked: bool = False, part: str = "",
         box=(slice(30, 38), slice(12, 20))) -> FeedbackEntry:
    """Somebody says `verdict` of a picture, whose defect, if it has one, is in the box."""
    rng = np.random.default_rng(seed)
    image = np.clip(128 + 40 * np.sin(np.arange(64) / 3) + rng.normal(0, 4, (64, 64)), 0, 255
                    ).astype(np.uint8)
    mask = np.zeros((64, 64), bool)
    mask[box] = True
    if verdict == "defect":
        image[mask] = 230
    digest = pixel_hash(image)
    entry = FeedbackEntry(
        id=digest[:16], sha256=digest, verdict=verdict, name=f"{seed}.png", part=part,
        defect_type="good" if verdict == "good" else "chip", when="2026-01-01T00:00:00+00:00",
        mask_sha256=mask_hash(mask) if masked else "", width=64, height=64, channels=1, bit_depth=8)
    keep(line.feedback, entry, image, mask if masked else None)
    return entry


def run_all(line):
    for stage in TRAINING:
        run_stage(stage, "plate", line.project)


def digests(line, *stages):
    return {file.relative_to(line.folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for stage in stages or TRAINING
            for file in sorted(line.stage_folder(stage).rglob("*")) if file.is_file()}


def copy_of(finished, folder):
    shutil.copytree(finished[0].project, folder / "plant")
    return Line.load("plate", folder / "plant")
