"""Which files of a folder are complete and new, found by looking: shares tell of no changes."""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hdm.dataset.file_walk import HIDDEN, leads_elsewhere, left_aside, walk
from hdm.errors import DataError, HDMError
from hdm.inbox.contents import SETTLING, unfinished_name

OLD = 60.0
"""Seconds since its last change after which a file that lay there before the first look counts as
complete at once."""
_UNFINISHED = "its name says that it is not complete yet"
_LINK = "it is a link, or is in a folder that is one: put the file itself here"
_CLOSED = "it cannot be opened: correct its permissions"
_YOUNG = "it has only just come, or is still being written"


class FolderAway(HDMError):
    """The watched folder cannot be looked at: gone, not mounted or closed."""


class Stamp(NamedTuple):
    """size: in bytes. modified: nanoseconds since 1970, by the clock of whoever keeps the file."""

    size: int
    modified: int


@dataclass
class Look:
    """What one look found, by paths below the folder. ready: complete and not known, those that
    came first before the others. waiting: not complete, and why. stuck: what a person must do about
    those that wait for one. left: no images by their names, by the reason; hidden ones are not
    told."""

    ready: dict[str, Stamp] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)


class DroppedFiles:
    """Looks at a folder again and again. A file is complete when it has kept size and time of
    change for `settling` seconds of this machine's clock, whatever the other's clock says.

    known(path, stamp): whether nothing is to be done about it any more.
    """

    def __init__(self, folder: Path, known: Callable[[str, Stamp], bool],
                 settling: float = SETTLING, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.known, self.settling = folder, known, settling
        self._clock = clock
        self._seen: dict[str, tuple[Stamp, float]] = {}
        """Of files that are not known, since when they have been as they are."""
        self._first = True

    def look(self) -> Look:
        """Raises FolderAway."""
        try:
            files = list(walk(self.folder))
            if not self.folder.is_dir():  # a missing folder is an empty one to `walk`
                raise FolderAway(f"{self.folder} is not there")
        except (DataError, OSError) as error:
            raise FolderAway(f"{self.folder} cannot be looked at: {error}") from None
        found, still = Look(), {}
        for file in files:
            path = os.fspath(file.relative_to(self.folder))
            reason = left_aside(Path(path))
            if reason == HIDDEN:
                continue
            stamp = self.stamp(path)
            if stamp is None or self.known(path, stamp):
                continue
            if unfinished_name(path):
                found.waiting[path] = _UNFINISHED
            elif reason:
                found.left.setdefault(reason, []).append(path)
            elif leads_elsewhere(self.folder, path):
                found.stuck[path] = _LINK
            elif not os.access(file, os.R_OK):
                found.stuck[path] = _CLOSED
            else:
                still[path] = self._since(path, stamp)
                if self.unchanged(still[path]) >= self.settling:
                    found.ready[path] = stamp
                else:
                    found.waiting[path] = _YOUNG
        self._seen, self._first = still, False
        found.ready = dict(sorted(found.ready.items(), key=lambda one: (one[1].modified, one[0])))
        return found

    def stamp(self, path: str) -> Stamp | None:
        """That of a regular file below the folder; None where there is none."""
        try:
            status = (self.folder / path).stat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return Stamp(status.st_size, status.st_mtime_ns)

    def age(self, path: str) -> float:
        """For how many seconds a file has been seen unchanged."""
        return self.unchanged(self._seen[path]) if path in self._seen else 0.0

    def unsettled(self, seconds: float) -> list[str]:
        """Files without a row that have changed within so many seconds."""
        return [path for path, seen in self._seen.items() if not self.known(path, seen[0])
                and self.unchanged(seen) < seconds]

    def unchanged(self, seen: tuple[Stamp, float]) -> float:
        """The seconds since then."""
        return self._clock() - seen[1]

    def _since(self, path: str, stamp: Stamp) -> tuple[Stamp, float]:
        before = self._seen.get(path)
        if before and before[0] == stamp:
            return before
        lies = self._first and time.time() - stamp.modified / 1e9 > OLD
        return stamp, self._clock() - (OLD if lies else 0.0)
