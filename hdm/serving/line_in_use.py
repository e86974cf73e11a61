"""Which lines a server on this machine holds, so that none is renamed or removed under it.

Each server holds a shared lock a line; the operating system lets go of it with the process.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hdm.errors import HDMError
from hdm.registry.ledger import lock_folder


@contextmanager
def serving(project: Path, lines: Sequence[str]) -> Iterator[None]:
    """Hold these lines, as any number of servers may. Raises HDMError if one is being changed."""
    with ExitStack() as held:
        for line in lines:
            held.enter_context(_held(project, line, fcntl.LOCK_SH, (
                f"{line} is being renamed or removed at this moment; start the server when that is "
                "done.")))
        yield


@contextmanager
def unserved(project: Path, line: str) -> Iterator[None]:
    """Hold the line alone; raises HDMError if a server has it."""
    with _held(project, line, fcntl.LOCK_EX, (
            f"`hdm serve` or `hdm watch` has {line} loaded; stop it, then run the same command "
            "again.")):
        yield


@contextmanager
def _held(project: Path, line: str, how: int, refusal: str) -> Iterator[None]:
    with (lock_folder(project) / f"serving-{line}.lock").open("a") as stream:
        try:
            fcntl.flock(stream, how | fcntl.LOCK_NB)
        except OSError:
            raise HDMError(refusal) from None
        yield
