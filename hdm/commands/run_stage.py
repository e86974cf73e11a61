"""The command by which DVC runs a stage: it imports little else, as each stage of each line starts
with it."""

from typing import Annotated

import typer

from hdm.commands.line_name import LineName
from hdm.stages import runner


def stage(
    stage: Annotated[str, typer.Argument(
        metavar="STAGE", help="samples, configure, ingest, validate, ..., registry, register.")],
    line: LineName,
) -> None:
    """Run one stage of one line by itself, as DVC does it."""
    runner.run_stage(stage, line)
