"""The command line. A command's module, in `hdm.commands`, is imported when it is asked for."""

import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from hdm import __version__
from hdm.commands import exit_codes

HELP = "Image anomaly detection with one retrainable model a product line."


class Entry(NamedTuple):
    """Where a command is, and the first sentence of its help, which `hdm --help` shows."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "run": Entry("run_line", "run", (
        "Bring a whole line up to date, from its images to the registry, and show the result.")),
    "doctor": Entry("see_doctor", "doctor", (
        "Look at packages, disk, settings, sources, registry and servers; say what to mend, and "
        "how.")),
    "results": Entry("run_line", "results", (
        "Show what answers for every line, how good it is, and how to look at the runs.")),
    "report": Entry("run_line", "report", (
        "Open the evaluation report of the live version; its path is printed in any case.")),
    "stage": Entry("run_stage", "stage", (
        "Run one stage of one line by itself, as DVC does it.")),
    "inbox": Entry("take_in", "inbox", (
        "Check the images in a line's inbox; take the good ones in, put the bad ones in "
        "quarantine.")),
    "feedback": Entry("give_feedback", "feedback", (
        "Say of a picture that it was good, or that it was a defect; the next training learns from "
        "it.")),
    "predict": Entry("predict_images", "predict", (
        "Judge images with the live model: print a table, write pictures, JSON and CSV.")),
    "watch": Entry("watch_folder", "watch", (
        "Judge the pictures that drop into a folder, each once, until it is told to end.")),
    "lot": Entry("report_lot", "lot", (
        "Write a PDF of what was found in a lot: counts, promise, pictures that are not good, a "
        "line to sign.")),
    "serve": Entry("serve_line", "serve", (
        "Judge images over HTTP with the live model, and follow it when another becomes live.")),
    "export": Entry("export_model", "export", (
        "Write a model as ONNX, OpenVINO or a folder that runs by itself, if it agrees with torch "
        "on real images.")),
    "monitor": Entry("check_drift", "monitor", (
        "Look for drift in the logged predictions of the live model, and write a page of "
        "trends.")),
    "home": Entry("open_home", "home", (
        "Open all lines in the browser: look, compare, decide, retrain, set thresholds, sort the "
        "inbox.")),
    "alarms": Entry("tell_alarms", "alarms", (
        "Show who is told of a line's alarms, and what they were told; or send them a test.")),
    "page": Entry("write_page", "page", (
        "Write and open a line's page (versions over time, heat maps, drift, decisions), or that "
        "of all lines.")),
    "plots": Entry("prepare_plots", "plots", (
        "Make the pages of `dvc plots show` and `dvc plots diff` readable without a network.")),
    "history": Entry("show_history", "history", (
        "Show every version of a line's model: what the gate said, and when it was live.")),
    "promote": Entry("manage_versions", "promote", (
        "Make a version champion: approve one that was held, or overrule the gate.")),
    "rollback": Entry("manage_versions", "rollback", (
        "Return to the previous live version; services follow within seconds.")),
    "pin": Entry("manage_versions", "pin", "Keep a version whatever its age."),
    "prune": Entry("manage_versions", "prune", (
        "Delete old versions with their files, as `retention.versions` says.")),
    "reproduce": Entry("reproduce_version", "reproduce", (
        "Check out a version's commit and data, train it again, and compare to the last bit.")),
    "registry": Entry("relocate_registry", "app", (
        "Take the local MLflow store along when its project was copied or moved.")),
    "samples": Entry("draw_samples", "samples", (
        "Draw the sample lines into data/<line>/raw; lines that are there are left alone.")),
    "lines": Entry("manage_lines", "app", (
        "List the product lines; add, copy, rename or remove one.")),
    "config": Entry("show_config", "app", "Show and check params.yaml and pipelines.yaml."),
    "deployments": Entry("apply_deployments", "app", "Keep prefect.yaml true to pipelines.yaml."),
    "operating-point": Entry("set_operating_point", "operating_point", (
        "Show by which rule a line's threshold is chosen, or set another one with a reason.")),
    "region": Entry("set_region", "region", (
        "Show which region of a line's pictures is inspected, or set another in its place.")),
    "testset": Entry("manage_test_sets", "app", (
        "Freeze the test set of a line under a name, or look at it.")),
}


class LateCommands(TyperGroup):
    """Knows each command by name and one sentence, and imports the one that is run."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=entry.help, rich_markup_mode=None)
                         for name, entry in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The name, the command itself and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, rest


app = typer.Typer(
    name="hdm", cls=LateCommands, help=HELP, no_args_is_help=True,
    pretty_exceptions_enable=False, rich_markup_mode=None)


def load(name: str) -> Any:
    """Import the command `name`, ready to be run."""
    entry = COMMANDS[name]
    found = getattr(import_module(f"hdm.commands.{entry.module}"), entry.attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(found)
        return typer.main.get_command(alone)
    group = typer.main.get_group(found)
    group.name = name
    return group


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"hdm {__version__}")
        raise typer.Exit


@app.callback(help=HELP)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True,
                                          callback=_show_version)] = False,
) -> None:
    """Options without a command."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code; bad input ends in one sentence."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app(arguments)
    except Exception as error:
        sys.exit(exit_codes.report(error))
    except KeyboardInterrupt:
        sys.exit(exit_codes.INTERRUPTED)
    sys.exit(0)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """Leave through the usual exits, so that temporary files are removed."""
    sys.exit(exit_codes.TERMINATED)
