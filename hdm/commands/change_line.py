"""`hdm lines clone`, `rename` and `remove`: first said, then asked, then done."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hdm.commands.line_name import LineName
from hdm.errors import ConfigError, HDMError
from hdm.line import Line, find_project
from hdm.line_changes import cloning, removing, renaming
from hdm.line_changes.change_plan import ChangePlan, unfinished
from hdm.line_changes.undisturbed import changing, undisturbed
from hdm.orchestration.run_progress import read_progress
from hdm.terminal import say

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
NewName = Annotated[str, typer.Argument(metavar="NEW", help="a-z, 0-9, '_' and '-'.")]
STEPS = {"rename": (renaming.foretold_rename, renaming.carry_out_rename),
         "clone": (cloning.foretold_clone, cloning.carry_out_clone),
         "remove": (removing.foretold_removal, removing.carry_out_removal)}
NEXT = {"rename": "{old} is called {new}; `hdm run {new}` brings it up to date.",
        "clone": "{new} has the settings of {old}; run it with `hdm run {new}`.",
        "remove": "{old} is removed; what was its own is in {archive}."}


def clone(
    old: LineName, new: NewName,
    source: Annotated[str, typer.Option(help=(
        "Folder or table of the new line's images; those of the other line if left out."))] = "",
    region: Annotated[bool, typer.Option("--region", help=(
        "Copy what of the pictures is inspected, too."))] = False,
    test_sets: Annotated[bool, typer.Option("--test-sets", help=(
        "Copy the frozen test sets, too."))] = False,
    yes: Yes = False, dry_run: DryRun = False,
) -> None:
    """Add a line with the settings of another; it has no models yet."""
    _change("clone", old, new, lambda line: cloning.plan_clone(
        line, new, source, region=region, test_sets=test_sets), yes=yes, dry_run=dry_run)


def rename(old: LineName, new: NewName, why: Why = "", yes: Yes = False, dry_run: DryRun = False,
           ) -> None:
    """Give a line another name, with its data, models and history; nothing is trained again."""
    _change("rename", old, new, lambda line: renaming.plan_rename(line, new, why), yes=yes,
            dry_run=dry_run)


def remove(
    line: LineName, why: Why = "",
    delete_results: Annotated[bool, typer.Option("--delete-results", help=(
        "Delete what the pipeline made of it; images, decisions and logs are kept."))] = False,
    yes: Yes = False, dry_run: DryRun = False,
) -> None:
    """Take a line out of the project; its files are put aside, its models stay registered."""
    _change("remove", line, "", lambda chosen: removing.plan_removal(
        chosen, why, delete_results=delete_results), yes=yes, dry_run=dry_run)


def _change(action: str, old: str, new: str, draft: Callable[[Line], ChangePlan], *, yes: bool,
            dry_run: bool) -> None:
    project = find_project()
    with changing(project):
        left = unfinished(project)
        if left and (left.action, left.old, left.new) != (action, old, new):
            raise HDMError(f"expected `{left.command}`, which was cut off, to be finished first; "
                           "say that again.")
        if left:
            say(f"finishing `{left.command}` of {left.time}, which was cut off")
            if not dry_run:
                _carry_out(project, left)
            return
        line = Line.load(old, project)
        if (told := read_progress(line)) and action != "clone":
            raise HDMError(f"a run of {old} is under way (process {told.pid}"
                           f"{f', {told.stage}' if told.stage else ''}); wait for it, or stop it, "
                           "then run the same command again.")
        if action != "clone":
            with undisturbed(project, old):  # told before anything is asked
                pass
        plan = draft(line)
        for sentence in STEPS[action][0](line, plan):
            say(f"- {sentence}")
        if dry_run:
            print("nothing was changed.")
            return
        if not yes:
            _ask()
        _carry_out(project, plan)


def _carry_out(project: Path, plan: ChangePlan) -> None:
    names = () if plan.action == "clone" else tuple(filter(None, (plan.old, plan.new)))
    with undisturbed(project, *names):
        plan = plan.begin(project)
        STEPS[plan.action][1](project, plan)
        plan.end(project)
    say(NEXT[plan.action].format(old=plan.old, new=plan.new, archive=plan.archive))


def _ask() -> None:
    if not sys.stdin.isatty():
        raise ConfigError("expected an answer to whether this is to be done, and this is no "
                          "terminal; say --yes. Nothing was changed.")
    if not typer.confirm("Do this?"):
        print("nothing was changed.")
        raise typer.Exit
