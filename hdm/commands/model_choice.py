"""Options of the commands that let a user choose which detector answers."""

from typing import Annotated

import typer

from hdm.commands.completion import versions_so_far
from hdm.line import TRAINED

Version = Annotated[str, typer.Option(
    "--version", metavar="N", autocompletion=versions_so_far,
    help="A version of the line's model; the live one if left out.")]
Trained = Annotated[bool, typer.Option("--trained", help=(
    "What was trained last, whatever the gate said of it."))]


def named(version: str) -> str:
    """A model version as a sentence names it."""
    return "the detector that was trained last" if version == TRAINED else f"version {version}"
