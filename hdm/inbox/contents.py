"""What lies in a line's inbox: images with their labels, and files that have to wait."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hdm.dataset.file_walk import HIDDEN, leads_elsewhere, left_aside, walk
from hdm.dataset.images import KINDS, SUFFIXES
from hdm.dataset.problems import printable
from hdm.errors import ConfigError
from hdm.ingest.readers import folder
from hdm.ingest.readers.folder_names import means_masks, stem_of_image
from hdm.ingest.readers.image_record import Record, list_images
from hdm.ingest.readers.parts import NAME as PARTS

SETTLING = 2.0
"""Seconds without a change after which a young file counts as complete."""

_PARTIAL = frozenset({".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp",
                      ".temp", ".swp"})
UNLABELLED = ("it has no label: put it into good/ or into a folder named after its defect, or say "
               "`--as good`")
"""Why an image without a label waits."""
_LONELY_MASK = "it is, or is named like, a mask whose image is not in the inbox"


@dataclass(frozen=True)
class Contents:
    """Files by their path in the inbox. images: to be checked, with label and mask. not_images: no
    images, and why. waiting: left for the next time, and why."""

    images: tuple[Record, ...]
    not_images: dict[str, str]
    waiting: dict[str, str]


def look(inbox: Path, label: str = "", settling: float = SETTLING,
         folders: Mapping[str, str] | None = None) -> Contents:
    """List an inbox laid out like the format `folder`; images directly in it are without label.

    label: the defect type, or `good`, of images without one; empty leaves them where they are.
    settling: seconds that a file younger than that is watched for. folders: what the line's source
    says of folders. Raises ConfigError if the inbox
    is not there or holds a parts.csv.
    """
    if not inbox.is_dir():
        raise ConfigError(f"expected the inbox folder {inbox}, found none; make it, or correct "
                          "`inbox` in pipelines.yaml.")
    if (inbox / PARTS).exists():
        raise ConfigError(f"{inbox / PARTS}: an inbox has no parts.csv; add its rows to the one of "
                          "the line's source and remove it.")
    files = sorted(path.as_posix() for path in (file.relative_to(inbox) for file in walk(inbox))
                   if left_aside(path) != HIDDEN)
    waiting = _unfinished(inbox, files, settling)
    known = set(files)  # what has come since is for the next time
    found = folder.read_inbox(inbox, folders or {})
    images = [record for record in [*found.records, *_unlabelled(inbox, label)]
              if record.path in known]
    not_images = {path: f"Expected {KINDS}, found {_suffix(path)}" for path in files
                  if Path(path).suffix.lower() not in SUFFIXES and path not in waiting}
    for path in known.intersection(found.aside):
        if "/" in path:
            waiting.setdefault(path, _LONELY_MASK)
    ready = []
    for record in images:
        unready = [mask for mask in record.masks if mask in waiting or mask not in known]
        if unready:
            waiting.setdefault(record.path, f"its mask {unready[0]} is not complete yet")
        elif stem_of_image(Path(record.path).stem):
            waiting.setdefault(record.path, _LONELY_MASK)
        elif not record.defect_type:
            waiting.setdefault(record.path, UNLABELLED)
        if record.path not in waiting:
            ready.append(record)
        else:
            for mask in record.masks:
                waiting.setdefault(mask, f"its image {record.path} waits")
    return Contents(tuple(ready), not_images, waiting)


def unfinished_name(path: str) -> bool:
    """Whether a name says that the file is not complete yet."""
    return Path(path).suffix.lower() in _PARTIAL or path.endswith("~")


def check_label(label: str) -> None:
    """Raise ConfigError if `label` cannot be the name of a folder of images."""
    if means_masks(label) or label.startswith(".") or Path(label).name != label:
        raise ConfigError(f"label {label!r}: expected good or the name of a defect as its folder "
                          "has it; choose another.")


def _unlabelled(inbox: Path, label: str) -> list[Record]:
    """Images directly in the inbox."""
    return [Record(path, None, label) for path in list_images(inbox, ".") if "/" not in path]


def _suffix(path: str) -> str:
    suffix = Path(path).suffix
    return f"a file *{suffix}" if suffix else "a file without a suffix"


def _unfinished(inbox: Path, files: list[str], settling: float) -> dict[str, str]:
    """Files that somebody still writes, or that cannot be taken as they are."""
    found: dict[str, str] = {}
    for path in files:
        if printable(path) != path:
            found[path] = "its name is not UTF-8: rename it"
        elif unfinished_name(path):
            found[path] = "its name says that it is not complete yet"
        elif leads_elsewhere(inbox, path):
            found[path] = "it is a link, or is in a folder that is one: put the file itself here"
        elif not os.access(inbox / path, os.R_OK):
            found[path] = "it cannot be opened: correct its permissions"
    before = {path: _state(inbox / path) for path in files if path not in found}
    # A clock of another machine may be ahead: a time to come is young, too.
    if any(time.time() - state[1] < settling for state in before.values() if state):
        time.sleep(settling)
        found |= {path: "it is still being written" for path, state in before.items()
                  if not state or _state(inbox / path) != state}
    return found


def _state(file: Path) -> tuple[int, float] | None:
    """Size and time of change; None if the file is gone."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime
