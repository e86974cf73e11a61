"""One short file a stage: read inputs, call the module, write outputs, log."""

import hashlib
import importlib
import json
from pathlib import Path

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.errors import HDMError
from hdm.line import Line
from hdm.settings import Params

CHECKPOINT = "checkpoint"
HELPERS = ("samples", "configure", "registry")
"""Stages beside the eight of the pipeline: drawing samples, resolving settings, the store probe."""


def run_stage(stage: str, name: str, project: Path | None = None) -> None:
    """Run one stage of the line `name`; raises HDMError with one sentence for the user."""
    if stage not in (*HELPERS, *STAGES):
        raise HDMError(f"no stage {stage!r}; expected one of {', '.join((*HELPERS, *STAGES))}.")
    line = Line.load(name, project)
    console = Console()
    module = importlib.import_module(f"hdm.stages.{stage}")
    if stage in HELPERS:
        module.run(line, console)
        return
    settings = line.stage_params(stage)
    from hdm.registry.tracking import stage_run

    console.print(f"[bold]{stage}[/bold] {name}")
    with stage_run(line, stage, stage_settings(settings, stage)) as run:
        module.run(line, settings, run, console)
    for resume_point in line.work_folder(stage).glob(f"{CHECKPOINT}*"):
        resume_point.unlink()


def checkpoint_file(line: Line, stage: str, settings: Params, *inputs: Path) -> Path:
    """Resume point of a training stage; another one as soon as a setting or an input differs."""
    digest = hashlib.sha256(json.dumps(stage_settings(settings, stage), sort_keys=True).encode())
    for file in inputs:
        digest.update(file.read_bytes())
    return line.work_folder(stage) / f"{CHECKPOINT}-{digest.hexdigest()[:16]}.safetensors"
