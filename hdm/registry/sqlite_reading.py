"""Reading a SQLite file that others write to."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

PATIENCE = 5.0
"""Seconds that a writer may take to let go of the file."""


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing, and makes no file where there is none.

    It may write all the same: who was killed in the middle of a change leaves a journal, and the
    next one to look at the file has to take that change back. One that is opened to read alone
    would be told of "a readonly database", again and again. Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=PATIENCE)) as found:
        found.execute("pragma query_only = on")
        yield found
