"""Commands that run the pipeline or show what it made."""

from typing import Annotated

import typer

LineName = Annotated[str, typer.Argument(metavar="LINE", help="A product line of pipelines.yaml.")]


def stage(
    stage: Annotated[str, typer.Argument(
        metavar="STAGE", help="samples, configure, ingest, validate, ..., registry, register.")],
    line: LineName,
) -> None:
    """Run one stage of one line, as DVC does (`dvc repro <stage>@<line>` keeps the order)."""
    from hdm.stages import run_stage

    run_stage(stage, line)
