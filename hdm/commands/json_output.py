"""The option by which commands print for machines what they print for people."""

import json
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def print_json(content: Any) -> None:
    """One document on one line, which is found among what else a program says.

    Raises ValueError for figures that JSON has no words for.
    """
    print(json.dumps(content, ensure_ascii=False, allow_nan=False))
