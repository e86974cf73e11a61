"""May a picture and what was said of it be learned from? What speaks against it, in a sentence."""

import tempfile
from pathlib import Path

import numpy as np

from hdm.dataset.feedback_entries import FeedbackEntry
from hdm.dataset.manifest import GOOD, Manifest
from hdm.errors import DataError
from hdm.feedback.near_line import TESTED, matches
from hdm.inbox.objections import objections
from hdm.line import Line


class Contradiction(DataError):
    """What is said contradicts what the line knows; saying it again, confirmed, overrules it."""


def admit(line: Line, entry: FeedbackEntry, image: np.ndarray, before: FeedbackEntry | None, *,
          confirmed: bool) -> None:
    """Raise DataError if the picture must not be learned from, Contradiction if a person is to be
    asked first; before: what was said of the same picture earlier."""
    manifest = Manifest.load(line.manifest_file, line.source_root)
    found = matches(line, manifest, image)
    for match in found:
        if match.split in TESTED:
            raise DataError(f"{entry.name} {_is(match.exact)} {match.path}, which {line.name} is "
                            f"measured on (split {match.split}): learned from, it would tell "
                            "nothing any more; correct its label in the source instead.")
    held = manifest.frame["split"].isin(TESTED)
    if entry.part and entry.part in set(manifest.frame["group"][held]):
        raise DataError(f"{entry.name} shows the part {entry.part!r}, which {line.name} is "
                        "measured on; correct its labels in the source instead.")
    if found and entry.verdict == GOOD:
        raise DataError(f"{entry.name} {_is(found[0].exact)} {found[0].path}, which {line.name} "
                        "learns from as good already; nothing is left to be said.")
    if not confirmed:
        _ask(line, entry, before, bool(found) and f"{_is(found[0].exact)} {found[0].path}")


def check_fits(line: Line, folder: Path, entry: FeedbackEntry) -> None:
    """Raise DataError if a good picture, which lies in `folder`, does not fit the line."""
    manifest = Manifest.load(line.manifest_file, line.source_root)
    new = Manifest.of([entry.row()._replace(split="holdout")], folder, folder)
    reasons = objections(manifest, new, line.params.validate_,
                         known=line.stage_folder("validate") / "statistics.parquet")
    for reason in reasons.values():
        raise DataError(f"{entry.name} cannot join the good images of {line.name}. {reason}.")


def _ask(line: Line, entry: FeedbackEntry, before: FeedbackEntry | None, where: str | bool) -> None:
    if where:
        raise Contradiction(f"{entry.name} {where}, which {line.name} learns from as good; is it "
                            "really defective? Then confirm it, and correct the source, too.")
    if before and before.verdict != entry.verdict:
        who = f" by {before.who}" if before.who else ""
        raise Contradiction(f"{entry.name} was called {before.verdict}{who} on {before.when[:10]}, "
                            f"and is now called {entry.verdict}; confirm it to replace that.")


def _is(exact: bool) -> str:
    return "is the same picture as" if exact else "shows nearly the same as"


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder for a picture that is not kept yet."""
    return tempfile.TemporaryDirectory(prefix="hdm-feedback-")
