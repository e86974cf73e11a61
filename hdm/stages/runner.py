"""Running one stage of a line, as DVC does: its settings, its MLflow run, its resume points."""

import importlib
from pathlib import Path

from hdm.config import STAGES, stage_settings
from hdm.console import Console
from hdm.errors import HDMError
from hdm.line import Line
from hdm.stages.one_writer import only_writer
from hdm.stages.resume import CHECKPOINT
from hdm.stages.stage_progress import stage_progress

HELPERS = ("samples", "configure", "store_probe")
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
    work = line.work_folder(stage)
    with only_writer(work.with_suffix(".lock"), f"{stage} of {name}"), \
            stage_progress(line, stage, console), \
            stage_run(line, stage, stage_settings(settings, stage)) as run:
        module.run(line, settings, run, console)
        for resume_point in work.glob(f"{CHECKPOINT}*"):
            resume_point.unlink()
