"""`hdm inbox`: new images of a line, checked and taken into its source."""

from typing import Annotated, Any

import typer
from filelock import FileLock

from hdm.commands import run_line
from hdm.commands.line_name import LineName
from hdm.dataset.manifest import Manifest
from hdm.errors import ConfigError
from hdm.inbox.by_hand import give_label, rejection
from hdm.inbox.contents import Contents, check_label, look
from hdm.inbox.drafting import draft
from hdm.inbox.intake import Intake
from hdm.inbox.intake_plan import Plan
from hdm.inbox.placing import Places, layout_of
from hdm.line import Line
from hdm.orchestration.data_version import new_version, refuse_drawn
from hdm.registry.decision_log import person
from hdm.registry.ledger import lock_folder
from hdm.terminal import say


def inbox(
    line: LineName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=(
        "Say what would happen; move nothing."))] = False,
    label: Annotated[str, typer.Option("--as", metavar="LABEL", help=(
        "What images without a folder are: good, or the name of a defect."))] = "",
    name: Annotated[list[str] | None, typer.Option("--label", metavar="FILE=LABEL", help=(
        "What one image without a folder is; then nothing else is done. May be repeated."))] = None,
    reject: Annotated[list[str] | None, typer.Option(metavar="FILE", help=(
        "Put this file into quarantine, with --why; then nothing else is done. May be repeated."))
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason of a rejection.")] = "",
    retrain: Annotated[bool, typer.Option("--retrain", help=(
        "Then bring the line up to date, as `hdm run` does."))] = False,
) -> None:
    """Check the images in a line's inbox; take the good ones in, put the bad ones in quarantine."""
    chosen = Line.load(line)
    intake, layout = _intake(chosen, label)
    if dry_run:
        _show_plan(chosen, intake, label, layout)
    else:
        with FileLock(lock_folder(chosen.project) / f"inbox-{line}.lock"):
            if name or reject:
                _by_hand(chosen, intake, name or [], reject or [], why)
                return
            _take_in(chosen, intake, label, layout)
    if retrain and not dry_run:
        run_line.run(line)


def _intake(line: Line, label: str) -> tuple[Intake, str]:
    """Where things are, and the source's layout; raises ConfigError where nothing can be taken."""
    if line.inbox is None:
        raise ConfigError(f"{line.name} has no inbox; add `inbox: FOLDER` to its entry in "
                          "pipelines.yaml.")
    check_label(label)
    refuse_drawn(line)
    layout = layout_of(line.source, line.entry.source)
    inside = (line.inbox.resolve(), line.source.resolve())
    if inside[0].is_relative_to(inside[1]) or inside[1].is_relative_to(inside[0]):
        raise ConfigError(f"{line.name}: expected an inbox outside the source, found {line.inbox} "
                          f"and {line.source}; put the inbox elsewhere.")
    return Intake(line.inbox, line.source, line.folder), layout


def _take_in(line: Line, intake: Intake, label: str, layout: str) -> None:
    if left := intake.unfinished():
        say(f"{line.name}: finishing the intake of {left.time}, which was interrupted")
        _tell(intake, intake.carry_out(left, lambda: new_version(line)))
    found = _draft(line, intake, label, layout)
    if found is None:
        return
    plan, contents = found
    if plan.accepted or plan.refused:
        _tell(intake, intake.carry_out(plan, lambda: new_version(line)))
    else:
        say(f"{line.name}: nothing new in {intake.inbox}")
    _tell_waiting(contents)


def _by_hand(line: Line, intake: Intake, labels: list[str], rejected: list[str], why: str) -> None:
    """Do what a person has decided of single files."""
    contents = look(intake.inbox, folders=line.entry.source.folders)
    for given in labels:
        path, _, label = given.rpartition("=")
        give_label(intake, contents, path, label)
        say(f"{line.name}: {path} is {label}; `hdm inbox {line.name}` takes it in")
    if rejected:
        if left := intake.unfinished():
            raise ConfigError(f"the intake of {left.time} was interrupted; `hdm inbox {line.name}` "
                              "finishes it first.")
        plan = rejection(intake, contents, rejected, f"{why.strip()} ({person()})" if why.strip()
                         else "")
        _tell(intake, intake.carry_out(plan, lambda: ""))


def _show_plan(line: Line, intake: Intake, label: str, layout: str) -> None:
    if left := intake.unfinished():
        say(f"{line.name}: the intake of {left.time} was interrupted; `hdm inbox {line.name}` "
            "finishes it first")
        return
    found = _draft(line, intake, label, layout)
    if found is None:
        return
    plan, contents = found
    say(f"{line.name}: {len(plan.accepted)} images would be taken in, {len(plan.refused)} files "
        "put in quarantine")
    for one in plan.accepted:
        say(f"  {one.image.origin} -> {one.image.target}")
    for bad in plan.refused:
        say(f"  {bad.file.origin} refused: {bad.reason}")
    _tell_waiting(contents)


def _draft(line: Line, intake: Intake, label: str, layout: str,
           ) -> tuple[Plan, Contents] | None:
    """What to do with the inbox; None where the line has not been read yet."""
    contents = look(intake.inbox, label, folders=line.entry.source.folders)
    if not line.manifest_file.is_file():
        say(f"{line.name} has not been read yet, so nothing is known of its images; the inbox is "
            f"left as it is until `dvc repro ingest@{line.name}` has been run.")
        return None
    plan = draft(intake, contents, Manifest.load(line.manifest_file, line.source_root),
                 Places(line.source, layout), line.params.validate_,
                 marks=line.params.ingest.masks,
                 known=line.stage_folder("validate") / "statistics.parquet",
                 threads=line.params.compute.threads)
    return plan, contents


def _tell(intake: Intake, record: dict[str, Any]) -> None:
    counts = record["counts"]
    say(f"{counts['accepted']} images taken in ({counts['good']} good, {counts['defective']} "
        f"defective), {counts['refused']} files put in quarantine")
    for bad in record["refused"]:
        say(f"  {bad['from']}: {bad['reason']}")
    if record["refused"]:
        say(f"  they are in {intake.quarantine / record['refused'][0]['quarantine'][:10]}")
    if record["data_version"]:
        say(f"data version {record['data_version']}; commit {intake.source}.dvc to git")


def _tell_waiting(contents: Contents) -> None:
    reasons: dict[str, list[str]] = {}
    for path, reason in contents.waiting.items():
        reasons.setdefault(reason, []).append(path)
    for reason, paths in reasons.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        say(f"left in the inbox: {paths[0]}{more}: {reason}")
