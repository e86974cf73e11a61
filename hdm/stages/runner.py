"""Running one stage of a line, as DVC does: its settings, its MLflow run, its resume points."""

import importlib
from pathlib import Path

from hdm.config import STAGES, load_pipelines, stage_settings
from hdm.console import Console
from hdm.errors import HDMError
from hdm.line import Line, find_project
from hdm.stages.one_writer import only_writer
from hdm.stages.resume import CHECKPOINT
from hdm.stages.stage_progress import stage_progress

PROBE = "store_probe"
"""The stage that DVC runs once for all lines."""
HELPERS = ("samples", "configure", PROBE)
"""Stages beside the eight of the pipeline: drawing samples, resolving settings, the store probe."""


def run_stage(stage: str, name: str = "", project: Path | None = None) -> None:
    """Run one stage of the line `name`, the store probe without a name of every line; raises
    HDMError with one sentence for the user."""
    if stage not in (*HELPERS, *STAGES):
        raise HDMError(f"no stage {stage!r}; expected one of {', '.join((*HELPERS, *STAGES))}.")
    if not name:
        if stage != PROBE:
            raise HDMError(f"{stage} is run of one line; name it: `hdm stage {stage} LINE`.")
        folder = project or find_project()
        for one in load_pipelines(folder).lines:
            run_stage(stage, one, folder)
        return
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
