"""The argument that most commands take."""

from typing import Annotated

import typer

from hdm.commands.completion import lines_so_far

LineName = Annotated[str, typer.Argument(
    metavar="LINE", help="A product line of pipelines.yaml.", autocompletion=lines_so_far)]
