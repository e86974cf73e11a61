"""The prediction log of one line: a row a prediction in SQLite, some of the images beside it."""

import json
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from filelock import FileLock

from hdm.dataset.images import pixel_hash
from hdm.errors import HDMError
from hdm.files import atomic_file, cannot_write
from hdm.monitoring.png import png_bytes
from hdm.settings import Monitor

if TYPE_CHECKING:
    from hdm.detector.detector import Prediction

FILE = "predictions.db"
IMAGES = "images"
SCHEMA_VERSION = 1
WAIT = 30.0
"""Seconds that a row waits for another process's row to be written."""

UNDECIDABLE = "undecidable"
UNREADABLE, NAN = "unreadable", "no_score"
"""Codes of what is undecidable beside those of `hdm.detector.decidability.CODES`."""
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
_TEXT = ("source", "model", "name", "pixel_hash", "decision", "reason", "reasons", "part")
_DAY = 86_400.0


class PredictionLog:
    """Appends and reads; any number of threads and processes may do so at once.

    Every method raises HDMError where the log cannot be written, is damaged or is of another
    version.
    """

    def __init__(self, folder: Path, settings: Monitor,
                 clock: Callable[[], float] = time.time) -> None:
        self.folder, self.settings = folder, settings
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / FILE

    def record(self, name: str, model: str, source: str, image: np.ndarray,
               found: "Prediction", part: str | None = None) -> None:
        """Append one prediction, and keep its image if the sampling rule says so.

        Args:
            image: (H, W) or (H, W, 3), uint8 or uint16, as it was judged.
            part: the physical part that it shows, if that is known.
        """
        digest = pixel_hash(image)
        # A score that is no number is below no threshold; "good" would be a wrong word for it.
        decided = math.isfinite(found.score)
        decision = found.decision if decided else UNDECIDABLE
        content = png_bytes(image) if self.keeps(digest, decision) else None
        look = found.appearance
        row = {
            "source": source, "model": model, "name": name, "pixel_hash": digest,
            "score": found.score if decided else None, "p_value": found.p_value,
            "probability": found.probability, "threshold": found.threshold,
            "decision": decision, "brightness": look.brightness, "contrast": look.contrast,
            "sharpness": look.sharpness,
            "reason": " ".join(doubt.sentence for doubt in found.reasons) if decided
            else "the score is not a number",
            "reasons": json.dumps([doubt.code for doubt in found.reasons] if decided else [NAN]),
            "kept": int(content is not None), "part": part}
        with self._writing() as connection:
            _insert(connection, {"time": self._clock(), **row})
            target = self.image_file(digest)
            if content is not None and not target.is_file():
                with atomic_file(target) as temporary:
                    temporary.write_bytes(content)

    def record_undecidable(self, name: str, model: str, source: str, reason: str,
                           part: str | None = None) -> None:
        """Append what could not be judged; `reason` is one sentence."""
        with self._writing() as connection:
            _insert(connection, {
                "time": self._clock(), "source": source, "model": model, "name": name,
                "decision": UNDECIDABLE, "reason": reason, "reasons": json.dumps([UNREADABLE]),
                "kept": 0, "part": part})

    def read(self, model: str | None = None, last: int | None = None) -> pd.DataFrame:
        """Rows in the order they were written, see COLUMNS: all of them, those of one model
        version, or the `last` of these."""
        if not self.file.is_file():
            return _frame([])
        condition = "" if model is None else "WHERE model = :model"
        # SQLite takes a negative limit as none.
        with self._lock, self._told():
            rows = self._open().execute(
                f"SELECT * FROM (SELECT {', '.join(COLUMNS)} FROM predictions {condition} "
                "ORDER BY id DESC LIMIT :last) ORDER BY id",
                {"model": model, "last": -1 if last is None else last}).fetchall()
        return _frame(rows)

    def keeps(self, digest: str, decision: str) -> bool:
        """The sampling rule; it follows from the pixels, so that the same image is kept or not
        wherever and however often it is judged."""
        if decision == "defect" and self.settings.keep_defects:
            return True
        return int(digest[:16], 16) < self.settings.keep_share * 2**64

    def image_file(self, digest: str) -> Path:
        """Where the image with these pixels is, if it was kept."""
        return self.folder / IMAGES / digest[:2] / f"{digest}.png"

    def prune(self) -> int:
        """Delete images that were last seen more than keep_days ago; rows stay. How many."""
        if not self.file.is_file():
            return 0
        limit = self._clock() - self.settings.keep_days * _DAY
        with self._writing() as connection:
            old = [digest for (digest,) in connection.execute(
                "SELECT pixel_hash FROM predictions WHERE kept = 1 GROUP BY pixel_hash "
                "HAVING MAX(time) < ?", (limit,))]
            for digest in old:
                self.image_file(digest).unlink(missing_ok=True)
                connection.execute("UPDATE predictions SET kept = 0 WHERE kept = 1 "
                                   "AND pixel_hash = ?", (digest,))
        return len(old)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of the block is in the log, or nothing of it."""
        with self._lock, self._told():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

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
                self.folder.mkdir(parents=True, exist_ok=True)
                # Two processes that turn one new file to write-ahead logging lock each other out.
                with FileLock(self.folder / f".{FILE}.lock", timeout=WAIT):
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
            _add_new_columns(connection)
            if version == 0:
                columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
                connection.executescript(
                    f"BEGIN; CREATE TABLE predictions ({columns}); "
                    "CREATE INDEX by_model ON predictions (model, id); "
                    "CREATE INDEX by_kept ON predictions (pixel_hash, time) WHERE kept = 1; "
                    f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection


def _add_new_columns(connection: sqlite3.Connection) -> None:
    """Columns that came after a log was begun; rows before have their default, or NULL."""
    known = {row[1] for row in connection.execute("PRAGMA table_info(predictions)")}
    for name, kind in COLUMNS.items() if known else ():
        if name not in known and ("DEFAULT" in kind or "NOT NULL" not in kind):
            connection.execute(f"ALTER TABLE predictions ADD COLUMN {name} {kind}")


def _insert(connection: sqlite3.Connection, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    connection.execute(f"INSERT INTO predictions ({names}) VALUES "
                       f"({', '.join('?' * len(row))})", tuple(row.values()))


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {name: "str" if name in _TEXT else "float64" for name in COLUMNS}
    return frame.astype({**kinds, "id": "int64", "kept": "bool"})
