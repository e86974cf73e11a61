"""What every reader yields, and how folders are listed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hdm.dataset.images import SUFFIXES
from hdm.dataset.manifest import GOOD


@dataclass(frozen=True)
class Record:
    """One image as its source describes it; nothing is decoded yet.

    Paths are POSIX and relative to the source root. `split` is None where the source leaves the
    choice to the pipeline, `group` where it does not tell which images show one physical part.
    """

    path: str
    split: str | None
    defect_type: str
    mask_path: str | None = None
    group: str | None = None

    @property
    def label(self) -> int:
        """0 good, 1 defect."""
        return int(self.defect_type != GOOD)


def list_images(root: Path, folder: str) -> list[str]:
    """Image files in `root/folder` and below, relative to `root`, in order; hidden ones not.

    Files count by their suffix alone, so that a file which only pretends is found and refused.
    A missing folder is empty.
    """
    return sorted(path.relative_to(root).as_posix() for path in walk(root / folder)
                  if path.suffix.lower() in SUFFIXES)


def list_folders(root: Path, folder: str = ".") -> list[str]:
    """Names of the folders directly in `root/folder`, in order; hidden ones not."""
    base = root / folder
    if not base.is_dir():
        return []
    return sorted(entry.name for entry in base.iterdir()
                  if entry.is_dir() and not entry.name.startswith("."))


def by_stem(paths: list[str]) -> dict[str, str]:
    """Mask files by the stem of the image they belong to (`a_mask.png` and `a.png` -> `a`)."""
    found: dict[str, str] = {}
    for path in paths:
        stem = Path(path).stem
        found.setdefault(stem.removesuffix("_mask"), path)
        found[stem] = path
    return found


def walk(folder: Path, seen: set[str] | None = None) -> Iterator[Path]:
    """Files below `folder`, hidden ones not; each real folder once, so that links cannot lead in a
    circle (`seen` are those of this walk)."""
    seen = set() if seen is None else seen
    real = os.path.realpath(folder)
    if real in seen or not folder.is_dir():
        return
    seen.add(real)
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from walk(entry, seen)
        else:
            yield entry
