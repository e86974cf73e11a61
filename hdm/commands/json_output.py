"""The option by which commands print for machines what they print for people."""

import json
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def print_json(content: Any) -> None:
    """One document; raises ValueError for figures that JSON has no words for."""
    print(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
