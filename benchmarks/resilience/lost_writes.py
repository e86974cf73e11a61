"""What a loss of power leaves: everything that nobody waited for may be gone, cut off or zeros.

Inside a process `watch` writes down what was waited for (fsync of a file or folder). After its end
`lose` takes the rest away at random: contents of files, and names in folders. Databases are left
out, as SQLite waits in C where this does not see it.
"""

import os
import random
import shutil
import time
from pathlib import Path
from typing import NamedTuple

DATABASES = (".db", ".db-journal", ".db-wal", ".db-shm", ".lock")


class Waited(NamedTuple):
    """What is known of a file or folder when it was waited for, in ns."""

    changed: int
    when: int


def watch(record: Path) -> None:
    """Let `os.fsync` of this process write into `record` instead of waiting."""
    log = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def fsync(target: int | object) -> None:
        number = target if isinstance(target, int) else target.fileno()  # type: ignore[attr-defined]
        told = os.fstat(number)
        os.write(log, f"{told.st_ino} {told.st_mtime_ns} {time.time_ns()}\n".encode())

    os.fsync = fsync  # type: ignore[assignment]


def nodes(live: Path) -> set[tuple[str, int]]:
    """The names that are on the disk, each with the number of what it stands for."""
    return {(str(path), path.lstat().st_ino) for path in live.rglob("*")}


def lose(live: Path, before: Path, named: set[tuple[str, int]], record: Path,
         chance: random.Random) -> int:
    """Take away at random what was not waited for; `before` is a copy of `live` as it was before
    the process began, `named` its names then. Returns how many files and names were harmed."""
    waited = {}
    for row in record.read_text().splitlines() if record.is_file() else ():
        node, changed, when = map(int, row.split())
        waited[node] = Waited(changed, when)
    harmed = 0
    for path in sorted(live.rglob("*"), reverse=True):
        if path.suffix in DATABASES or path.is_symlink():
            continue
        old = before / path.relative_to(live)
        if path.is_dir():
            # Not by its own time, which is that of the last name in it.
            if (str(path), path.stat().st_ino) not in named and _unsaid(path.parent, waited) \
                    and chance.random() < 0.5:
                shutil.rmtree(path)
                harmed += 1
        elif not _same(path, old):
            if (str(path), path.stat().st_ino) not in named and _name_lost(path, waited, chance):
                path.unlink()
                if old.is_file():
                    shutil.copy2(old, path)
                harmed += 1
            elif _content_lost(path, waited, chance):
                harmed += 1
    for old in sorted(before.rglob("*")):  # what was removed may be back
        path = live / old.relative_to(before)
        if old.is_file() and old.suffix not in DATABASES and not path.exists() \
                and path.parent.is_dir() and _unsaid(path.parent, waited) and chance.random() < 0.5:
            shutil.copy2(old, path)
            harmed += 1
    return harmed


def _same(path: Path, old: Path) -> bool:
    if not old.is_file():
        return False
    now, then = path.stat(), old.stat()
    return (now.st_mtime_ns, now.st_size) == (then.st_mtime_ns, then.st_size)


def _unsaid(folder: Path, waited: dict[int, Waited]) -> bool:
    told = folder.stat()
    return told.st_ino not in waited or waited[told.st_ino].changed != told.st_mtime_ns


def _name_lost(path: Path, waited: dict[int, Waited], chance: random.Random) -> bool:
    """Whether the folder that holds it was not waited for since it got its name, by chance."""
    folder = waited.get(path.parent.stat().st_ino)
    named = path.stat().st_ctime_ns
    return (folder is None or folder.when < named) and chance.random() < 0.5


def _content_lost(path: Path, waited: dict[int, Waited], chance: random.Random) -> bool:
    told = path.stat()
    if told.st_ino in waited and waited[told.st_ino].changed == told.st_mtime_ns:
        return False
    content = path.read_bytes()
    kept = chance.choice([content, b"", content[:len(content) // 2], bytes(len(content))])
    if kept != content:
        path.write_bytes(kept)
    return kept != content
