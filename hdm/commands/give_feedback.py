"""`hdm feedback`: this was good, or this was a defect."""

import getpass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.dataset.feedback_entries import FeedbackEntry, entries_in
from hdm.dataset.outside import pages, read_image, read_mask
from hdm.errors import ConfigError, DataError
from hdm.feedback.admission import Contradiction
from hdm.feedback.saying import Statement, kept_picture, say
from hdm.line import Line
from hdm.terminal import harmless


def feedback(
    line: LineName,
    picture: Annotated[str, typer.Argument(metavar="[PICTURE|#ROW]", help=(
        "An image file, or '#' and the id of a logged prediction; without it what was said is "
        "listed."))] = "",
    verdict: Annotated[str, typer.Argument(metavar="[good|defect]", help="What it is.")] = "",
    kind: Annotated[str, typer.Option("--type", metavar="NAME", help=(
        "The kind of defect."))] = "",
    mask: Annotated[Path | None, typer.Option(help=(
        "A picture of the same size, white where the defect is."))] = None,
    why: Annotated[str, typer.Option(metavar="TEXT", help="How you know.")] = "",
    who: Annotated[str, typer.Option(metavar="NAME", help=(
        "Who says so; your user name if left out."))] = "",
    part: Annotated[str, typer.Option(metavar="NAME", help="The physical part it shows.")] = "",
    confirm: Annotated[bool, typer.Option("--confirm", help=(
        "Keep it although it contradicts what the line knows."))] = False,
    as_json: AsJson = False,
) -> None:
    """Say of a picture that it was good, or that it was a defect; the next training learns from it.
    """
    chosen = Line.load(line)
    if not picture:
        entries = sorted(entries_in(chosen.feedback), key=lambda one: one.when)
        if as_json:
            print_json([entry.model_dump(mode="json") for entry in entries])
        else:
            _list(chosen, entries)
        return
    row = _row(picture)
    image = kept_picture(chosen, row) if row is not None else _read(Path(picture))
    statement = Statement(verdict, kind, None if mask is None else read_mask(mask),
                          who or getpass.getuser(), why, part)
    try:
        entry = say(chosen, image, statement, row=row, confirmed=confirm,
                    name="" if row is not None else Path(picture).name)
    except Contradiction as question:
        raise Contradiction(f"{question} Add --confirm.") from None
    print(harmless(f"{line}: {entry.name} is kept as {entry.said}{_then(entry)}; the next training "
                   f"learns from it: hdm run {line}"))


def _row(picture: str) -> int | None:
    """The id after '#'; None for a file."""
    if not picture.startswith("#"):
        return None
    if not picture[1:].isdecimal():
        raise ConfigError(f"{picture!r}: expected '#' and the id of a logged prediction, as in "
                          "#12.")
    return int(picture[1:])


def _read(file: Path) -> np.ndarray:
    if (count := pages(file)) > 1:
        raise DataError(f"{file}: expected one picture, found a stack of {count} pages; give one "
                        f"of them, as {file.name}#1.")
    return read_image(file)


def _list(line: Line, entries: list[FeedbackEntry]) -> None:
    if not entries:
        print(f"{line.name}: nobody has said anything yet")
    for entry in entries:
        said = " ".join(part for part in (entry.who, entry.why) if part)
        print(harmless(f"{entry.when[:16]}  {entry.id}  {entry.said}  {entry.name}{_then(entry)}"
                       f"{'  ' + said if said else ''}"))


def _then(entry: FeedbackEntry) -> str:
    """What was answered."""
    if entry.score is None:
        return ""
    return f" (version {entry.model_version} said {entry.decision}, score {entry.score:.2f})"
