"""Nothing is left out in silence: every file of a source is used, or aside with a reason."""

from dataclasses import replace
from pathlib import Path

from hdm.dataset.aside import reason_of
from hdm.dataset.file_walk import left_aside, walk
from hdm.ingest.readers.image_record import Reading


def account(root: Path, layout: str, found: Reading) -> Reading:
    """`found` with every file below `root` that it does not mention in `aside`."""
    used = {*found.documents, *found.aside}
    for record in found.records:
        used.update((record.path, *record.masks))
    aside = dict(found.aside)
    for file in walk(root):
        path = file.relative_to(root)
        if (name := path.as_posix()) not in used:
            aside[name] = reason_of(left_aside(path), layout)
    return replace(found, aside=dict(sorted(aside.items())))
