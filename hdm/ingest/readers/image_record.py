"""What every reader yields, and how folders are listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from hdm.dataset.file_walk import left_aside, walk
from hdm.dataset.manifest import GOOD
from hdm.ingest.outlines import Region


@dataclass(frozen=True, slots=True)
class Record:
    """One image as its source describes it; nothing is decoded yet.

    Paths are POSIX and relative to the source root. `split` is None where the source leaves the
    choice to the pipeline, `group` where it does not tell which images show one physical part.
    The ground truth is all that the files `masks` mark and all `regions` drawn, together.
    """

    path: str
    split: str | None
    defect_type: str
    masks: tuple[str, ...] = ()
    group: str | None = None
    regions: tuple[Region, ...] = ()

    @property
    def label(self) -> int:
        """0 good, 1 defect."""
        return int(self.defect_type != GOOD)


@dataclass(frozen=True)
class Reading:
    """What a reader made of a source, every file of which is in one of these.

    records: the images. documents: tables and annotation files that were read. aside: files that
    are not used, with the reason. notes: what a person should know, a sentence each. All paths
    are relative to the source root.
    """

    records: list[Record]
    documents: tuple[str, ...] = ()
    aside: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def list_images(root: Path, folder: str) -> list[str]:
    """Image files in `root/folder` and below, relative to `root`, in order; hidden ones not.

    Files count by their suffix alone, so that a file which only pretends is found and refused.
    A missing folder is empty.
    """
    found = (path.relative_to(root) for path in walk(root / folder, root))
    return sorted(path.as_posix() for path in found if left_aside(path) is None)


def has_images(root: Path, folder: str) -> bool:
    """Whether `list_images` would find any."""
    found = (path.relative_to(root) for path in walk(root / folder, root))
    return any(left_aside(path) is None for path in found)


def list_folders(root: Path, folder: str = ".") -> list[str]:
    """Names of the folders directly in `root/folder`, in order; hidden ones not."""
    base = root / folder
    if not base.is_dir():
        return []
    return sorted(entry.name for entry in base.iterdir()
                  if entry.is_dir() and not entry.name.startswith("."))


class Said(NamedTuple):
    """What a person has said of a folder: good, defect, masks or aside; empty if nothing."""

    role: str
    folder: str

    def kind(self, otherwise: str) -> str:
        """Defect type of the images in it; `otherwise` where nobody has said good or defect."""
        if self.role == "good":
            return GOOD
        name = PurePosixPath(self.folder).name
        return otherwise if self.role != "defect" else "defect" if name == GOOD else name


def said_of(path: str, roles: Mapping[str, str]) -> Said:
    """What `roles` (folder -> role) says of the nearest folder above `path`."""
    for folder in PurePosixPath(path).parents if roles else ():
        if role := roles.get(str(folder)):
            return Said(role, str(folder))
    return Said("", "")


def by_stem(paths: list[str]) -> dict[str, tuple[str, ...]]:
    """Mask files by the stem of the image they belong to (`a_mask.png` and `a.png` -> `a`)."""
    found: dict[str, str] = {}
    for path in paths:
        stem = Path(path).stem
        found.setdefault(stem.removesuffix("_mask"), path)
        found[stem] = path
    return {stem: (path,) for stem, path in found.items()}
