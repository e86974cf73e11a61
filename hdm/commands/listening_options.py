"""Options of the commands that listen for browsers and programs."""

from pathlib import Path
from typing import Annotated

import typer

Host = Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0: all.")]
KeyVariable = Annotated[str, typer.Option("--api-key-env", metavar="NAME", help=(
    "Environment variable that holds the API key."))]
KeyFile = Annotated[Path | None, typer.Option("--api-key-file", metavar="FILE", help=(
    "File that holds the API key."))]
NoKey = Annotated[bool, typer.Option("--no-key", help=(
    "Let everyone in, also at an address that others reach."))]
AllowedHosts = Annotated[list[str] | None, typer.Option("--allowed-host", metavar="NAME", help=(
    "Another name by which the server is asked (header Host); may be repeated."))]
