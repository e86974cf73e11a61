"""One writer a stage: who runs a stage of a line holds its lock until its outputs have their names.

DVC that is killed leaves the stage that it ran behind. The next run of that stage stops such an
orphan; and one that lives on all the same (on another machine, or as somebody deleted the lock)
finds, before its outputs get their names, that the stage is no longer its own, and ends.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from hdm.errors import HDMError
from hdm.files import fenced

GRACE = 10.0
"""Seconds that an orphan has to remove its temporary files."""
SHELLS = frozenset({"sh", "bash", "dash", "zsh"})


@contextmanager
def only_writer(file: Path, what: str) -> Iterator[None]:
    """Hold the lock `file`, made if need be, while `what` runs; orphans of it are stopped.

    Raises HDMError if another run of it is going on, and, before anything gets its final name, if
    another has taken over since.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as stream:
        if not _locked(stream):
            _stop_orphan(stream, what)
            if not _locked(stream):
                raise _busy(stream, what)
        stream.seek(0)
        stream.truncate()
        json.dump(_identities(), stream)
        stream.flush()
        own = os.fstat(stream.fileno())

        def still_ours() -> None:
            try:
                now = file.stat()
            except OSError:
                now = None
            if now is None or (now.st_dev, now.st_ino) != (own.st_dev, own.st_ino):
                raise HDMError(f"{what} was taken over by another run while this one was going on; "
                               "nothing of this one was kept.")

        with fenced(still_ours):
            yield


@contextmanager
def nobody_writes(files: Mapping[str, Path]) -> Iterator[None]:
    """Hold locks that are there, by what they stand for, so that no stage begins meanwhile.

    Raises HDMError if one is held; unlike `only_writer` it stops no orphan.
    """
    with ExitStack() as held:
        for what, file in files.items():
            if file.is_file():
                stream = held.enter_context(file.open("a+"))
                if not _locked(stream):
                    raise _busy(stream, what)
        yield


def _locked(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _identities() -> list[dict[str, Any]]:
    """This process, and those that wait for it: number, start and name, nearest first."""
    import psutil  # late: only a stage asks

    process = psutil.Process()
    with suppress(psutil.Error):
        return [{"pid": one.pid, "start": one.create_time(), "name": one.name()}
                for one in [process, *process.parents()[:2]]]
    return [{"pid": process.pid, "start": process.create_time(), "name": ""}]


def _holder(stream: IO[str]) -> list[dict[str, Any]]:
    stream.seek(0)
    try:
        found = json.load(stream)
        return [one for one in found if {"pid", "start", "name"} <= set(one)]
    except (ValueError, TypeError):
        return []  # it has the lock and has not said yet who it is


def _alive(one: dict[str, Any]) -> Any:
    """The process that is meant, or None; a number is used again, a start is not."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(one["pid"])
        if process.create_time() == one["start"] and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _stop_orphan(stream: IO[str], what: str) -> None:
    """Stop the holder of the lock if nobody waits for it any more."""
    import psutil

    holder = _holder(stream)
    if not holder or not _orphaned(holder):
        return
    process = _alive(holder[0])
    if process is None:
        return
    print(f"an earlier run of {what} (process {process.pid}) was left behind; it is stopped.")
    with suppress(psutil.Error):
        process.terminate()
        try:
            process.wait(GRACE)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(GRACE)


def _orphaned(holder: list[dict[str, Any]]) -> bool:
    """Whether the one who started it is gone; a shell between them starts nothing of its own."""
    for parent in holder[1:]:
        if _alive(parent) is None:
            return True
        if parent["name"] not in SHELLS:
            return False
    return False


def _busy(stream: IO[str], what: str) -> HDMError:
    holder = _holder(stream)
    who = f" (process {holder[0]['pid']})" if holder else ""
    return HDMError(f"another run of {what} is going on{who}; wait for it, or stop it, then run "
                    "the same command again.")
