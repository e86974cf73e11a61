"""What people said of a line's pictures: resolved by configure, learned by ddm_train."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from hdm.dataset.feedback_entries import (
    FeedbackEntry,
    entries_in,
    entry_digests,
    manifest_of,
    mask_hash,
)
from hdm.dataset.ignore_mask import inspected_only
from hdm.dataset.images import pixel_hash, read_image, read_mask
from hdm.dataset.manifest import GOOD, Manifest
from hdm.errors import ConfigError, DataError
from hdm.files import atomic_file, read_json
from hdm.line import FEEDBACK, Line


@dataclass(frozen=True)
class Learned:
    """entries that are learned from; defects and alarms are their pictures. aside: why others are
    not, by name."""

    entries: tuple[FeedbackEntry, ...]
    defects: Manifest
    alarms: Manifest
    aside: dict[str, str]

    def copy_to(self, folder: Path) -> None:
        """Entries and pictures, into a new folder."""
        folder.mkdir()
        for entry in self.entries:
            for name in (f"{entry.id}.json", entry.picture, entry.mask):
                if name:
                    shutil.copyfile(self.defects.root / name, folder / name)


def resolved_feedback(line: Line) -> dict[str, str]:
    """Digests of all entries, by id; raises DataError if one is damaged."""
    return entry_digests(line.feedback)


def feedback_of(line: Line, manifest: Manifest, ignored: str = "") -> Learned:
    """What configure resolved, without pictures that the line is tested on by now, and without
    defects that lie where nothing is inspected; ignored: the ignore mask as text.

    Pictures that are not in the line's folder, as in a fresh clone, are restored from the last
    training's output. Raises ConfigError if entries changed since, DataError if a picture is gone.
    """
    file = line.settings_file("ddm_train")
    resolved = read_json(file).get(FEEDBACK, {}) if file.is_file() else {}
    entries, aside = [], {}
    held = manifest.frame[manifest.frame["split"] != "train"]
    pictures, parts = set(held["sha256"]), set(held["group"]) - {""}
    for entry in entries_in(line.feedback) if resolved else []:
        if entry.sha256 in pictures or entry.part in parts:
            aside[entry.name] = "the line is measured on it, or on its part, by now"
            continue
        for name in (entry.picture, entry.mask):
            if name:
                _restore(line, name)
        _refuse_others(line.feedback, entry)
        if entry.mask and not inspected_only(ignored, read_mask(line.feedback / entry.mask)).any():
            aside[entry.name] = "its defect lies where nothing is inspected"
            continue
        entries.append(entry)
    if resolved != resolved_feedback(line) and resolved:
        raise ConfigError(f"the feedback of {line.name} has changed since the settings were "
                          f"resolved; run `dvc repro ddm_train@{line.name}`.")
    return Learned(tuple(entries), manifest_of(entries, line.feedback, "defect"),
                   manifest_of(entries, line.feedback, GOOD), aside)


def _refuse_others(folder: Path, entry: FeedbackEntry) -> None:
    own = pixel_hash(read_image(folder / entry.picture)) == entry.sha256
    drawn = mask_hash(read_mask(folder / entry.mask)) if entry.mask else ""
    if not own or drawn != entry.mask_sha256:
        raise DataError(f"{folder / (entry.picture if not own else str(entry.mask))} has other "
                        "pixels than were spoken of; restore it, or delete the entry.")


def _restore(line: Line, name: str) -> None:
    target = line.feedback / name
    if target.is_file():
        return
    origin = line.learned_feedback / name
    if not origin.is_file():
        raise DataError(f"expected the picture {target}, found none; restore it, get it with `dvc "
                        "pull`, or delete its entry.")
    with atomic_file(target) as temporary:
        shutil.copyfile(origin, temporary)
