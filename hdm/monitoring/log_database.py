"""The SQLite file of a prediction log: how it is made, opened and written to, and its size.

Only its owner may read what lies in its folder: names of parts and pictures of them are nobody
else's.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from hdm.errors import HDMError
from hdm.files import cannot_write, private_file, private_folder

FILE = "predictions.db"
SCHEMA_VERSION = 2
WAIT = 30.0
"""Seconds that a row waits for another process's row to be written."""
COLUMNS = {
    "id": "INTEGER PRIMARY KEY AUTOINCREMENT",  # the order of predictions: clocks may jump
    "time": "REAL NOT NULL",  # UTC seconds since 1970
    "source": "TEXT NOT NULL",  # cli or rest
    "model": "TEXT NOT NULL",  # registry version, or hdm.line.TRAINED
    "name": "TEXT NOT NULL",
    "pixel_hash": "TEXT",  # SHA-256 of the decoded pixels
    "score": "REAL",
    "p_value": "REAL",
    "probability": "REAL",
    "threshold": "REAL",
    "decision": "TEXT NOT NULL",  # good, defect or undecidable
    "brightness": "REAL",
    "contrast": "REAL",
    "sharpness": "REAL",
    "reason": "TEXT NOT NULL",  # why it is undecidable
    "reasons": "TEXT NOT NULL DEFAULT '[]'",  # the same as codes, a JSON list
    "kept": "INTEGER NOT NULL",  # whether the image is under images/
    "part": "TEXT",  # the physical part that it shows, if that is known
}
PICTURES = {
    "pixel_hash": "TEXT PRIMARY KEY",
    "bytes": "INTEGER NOT NULL",
    "seen": "REAL NOT NULL",  # when it was last judged, UTC seconds since 1970
}
"""The pictures that are under images/."""


class LogDatabase:
    """Any number of threads and processes may use it at once.

    Every method raises HDMError where it cannot be written, is damaged or is of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / FILE

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, which nobody else of this process uses meanwhile."""
        with self._lock, self._told():
            yield self._open()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block is in the log, or nothing of it."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise HDMError(f"cannot use the prediction log {self.file}: {error}. Free disk space "
                           "or make the folder writable; the rows written so far are safe."
                           ) from error
        except sqlite3.DatabaseError as error:
            raise HDMError(f"the prediction log {self.file} is damaged ({error}); move it away, "
                           "and a new one is begun.") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                private_folder(self.folder)
                lock = self.folder / f".{FILE}.lock"
                private_file(lock)
                # Two processes that turn one new file to write-ahead logging lock each other out.
                with FileLock(lock, timeout=WAIT):
                    private_file(self.file)  # SQLite gives its other files the same mode
                    self._connection = self._connected()
            except OSError as error:
                raise cannot_write(self.file, error) from error
        return self._connection

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=WAIT, isolation_level=None,
                                     check_same_thread=False)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, SCHEMA_VERSION):
                raise HDMError(f"expected {self.file} to be a prediction log of version "
                               f"{SCHEMA_VERSION}, found version {version}; move it away, and a "
                               "new one is begun.")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if version == 0:
                connection.executescript(
                    f"BEGIN; CREATE TABLE predictions ({_columns(COLUMNS)}); "
                    f"CREATE TABLE pictures ({_columns(PICTURES)}); "
                    "CREATE INDEX by_model ON predictions (model, id); "
                    "CREATE INDEX by_kept ON predictions (pixel_hash, time) WHERE kept = 1; "
                    f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection


def _columns(kinds: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in kinds.items())


def insert(connection: sqlite3.Connection, row: dict[str, Any]) -> None:
    """Append a row of predictions."""
    names = ", ".join(row)
    connection.execute(f"INSERT INTO predictions ({names}) VALUES "
                       f"({', '.join('?' * len(row))})", tuple(row.values()))


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the database takes, without pages that are free to be used again."""
    size, pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0]
                         for name in ("page_size", "page_count", "freelist_count"))
    return int(size * (pages - free))
