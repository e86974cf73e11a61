"""The command line. Commands live in `hdm.commands`; heavy libraries load when one needs them."""

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from hdm import __version__
from hdm.commands import (
    config,
    deployments,
    export,
    failure,
    lines,
    monitor,
    pipeline,
    predict,
    samples,
    serve,
)

app = typer.Typer(
    name="hdm",
    help="Image anomaly detection with one retrainable model a product line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (pipeline.run, pipeline.results, pipeline.report, pipeline.stage, predict.predict,
                serve.serve, export.export, monitor.monitor, samples.samples):
    app.command()(command)
app.add_typer(lines.app, name="lines")
app.add_typer(config.app, name="config")
app.add_typer(deployments.app, name="deployments")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"hdm {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True,
                                          callback=_show_version)] = False,
) -> None:
    """Image anomaly detection with one retrainable model a product line."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; bad input ends in one sentence."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(arguments)
    except Exception as error:
        sys.exit(failure.report(error))
    except KeyboardInterrupt:
        sys.exit(failure.INTERRUPTED)
    sys.exit(0)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """Leave through the usual exits, so that temporary files are removed."""
    sys.exit(failure.TERMINATED)
