"""Every file of a folder is read or named: how folders are searched, and what is left aside.

By name alone a file is left aside for one of three reasons: it is hidden or belongs to the system
(also by the name of a folder that it is in), its suffix is no image's, or it has no suffix.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from hdm.dataset.images import SUFFIXES
from hdm.dataset.problems import listing, printable
from hdm.errors import DataError

HIDDEN = "hidden or of the system"
NO_SUFFIX = "without a known suffix"
_OF_THE_SYSTEM = frozenset({
    "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot",  # NAS
    "$recycle.bin", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini",
    "__macosx", "icon\r", "lost+found"})
_LONGEST_SUFFIX = 8


def walk(folder: Path, root: Path | None = None) -> Iterator[Path]:
    """All files below `folder`, hidden ones too, as paths that begin with it; in a fixed order.

    Each real folder is entered once. A link to a folder that lies in `root` (by default `folder`),
    or that was entered before, is yielded itself: what it leads to is read where it lies, and
    cannot be taken for another kind. A missing folder is empty. Raises DataError if a folder cannot
    be opened; one that is left aside is then yielded itself.
    """
    inside = Path(os.path.realpath(root or folder))
    seen: set[str] = set()
    closed: list[Path] = []

    def refused(error: OSError) -> None:
        path = Path(error.filename)
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return  # never there, or gone since
        if not _hidden(path.relative_to(folder)):
            raise DataError(f"cannot search the folder {printable(str(path))}: {error.strerror}; "
                            "make it readable, or name the other folders.") from error
        closed.append(path)

    for here, folders, files in os.walk(folder, onerror=refused, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            yield Path(here)
            continue
        seen.add(real)
        links = [name for name in folders if Path(here, name).is_symlink()
                 and Path(os.path.realpath(Path(here, name))).is_relative_to(inside)]
        folders[:] = sorted(set(folders) - set(links))
        files += links
        yield from (Path(here, name) for name in sorted(files))
    yield from closed


def leads_elsewhere(root: Path, path: str) -> bool:
    """Whether `path`, relative to `root`, is a link or lies in a folder that is one."""
    parts = PurePath(path).parts
    return ".." in parts or any((root / Path(*parts[:count])).is_symlink()
                                for count in range(1, len(parts) + 1))


def left_aside(path: PurePath) -> str | None:
    """Why a file is not read, by its name alone; None for an image.

    path: relative to the folder that is searched, as a hidden folder above it says nothing. The
    reason completes "12 files ...": HIDDEN, "*.heic" or NO_SUFFIX.
    """
    if _hidden(path):
        return HIDDEN
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return None
    # "frame.0001" and "12.30 Uhr" end in no suffix, and would each be a reason of its own.
    known = suffix[1:].isalnum() and not suffix[1:].isdigit() and len(suffix) <= _LONGEST_SUFFIX
    return f"*{printable(suffix)}" if known else NO_SUFFIX


def told(reasons: Mapping[str, list[str]]) -> list[str]:
    """A sentence a reason: how many files, and the first five of them."""
    return [f"{len(names)} file{'s' if len(names) > 1 else ''} {reason} "
            f"{'are' if len(names) > 1 else 'is'} not read: "
            f"{listing([printable(name) for name in names])}."
            for reason, names in reasons.items()]


def _hidden(path: PurePath) -> bool:
    return any((part.startswith(".") and part != "..") or part.lower() in _OF_THE_SYSTEM
               for part in path.parts)
