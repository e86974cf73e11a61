"""The argument that most commands take."""

from typing import Annotated

import typer

LineName = Annotated[str, typer.Argument(metavar="LINE", help="A product line of pipelines.yaml.")]
