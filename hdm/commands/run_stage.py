"""The command by which DVC runs a stage: it imports little else, as each stage of each line starts
with it."""

from typing import Annotated

import typer

from hdm.commands.completion import lines_so_far
from hdm.stages import runner


def stage(
    stage: Annotated[str, typer.Argument(
        metavar="STAGE", help="samples, configure, ingest, validate, ..., registry, register.")],
    line: Annotated[str, typer.Argument(metavar="[LINE]", autocompletion=lines_so_far, help=(
        "A product line; store_probe looks at every one if it is left out."))] = "",
) -> None:
    """Run one stage of one line by itself, as DVC does it."""
    runner.run_stage(stage, line)
