"""The prediction log of one line: a row a prediction in SQLite, some of the images beside it.

It keeps within its limits: the pictures that were seen longest ago go first; of rows, the older
quarter moves to `earlier.parquet`, whose content it replaces.
"""

import json
import math
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hdm.dataset.images import pixel_hash
from hdm.files import atomic_file, cannot_write, private_file, private_folder
from hdm.monitoring.log_database import COLUMNS, LogDatabase, insert, used_bytes
from hdm.monitoring.png import png_bytes
from hdm.settings import Monitor

if TYPE_CHECKING:
    from hdm.detector.detector import Prediction

IMAGES, EARLIER = "images", "earlier.parquet"
UNDECIDABLE = "undecidable"
UNREADABLE, NAN = "unreadable", "no_score"
"""Codes of what is undecidable beside those of `hdm.detector.decidability.CODES`."""
LONGEST_NAME = 500
"""Characters of a name and of a part: they come from anybody."""
MIB = 2**20
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
        self._database = LogDatabase(folder)

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self._database.file

    def record(self, name: str, model: str, source: str, image: np.ndarray,
               found: "Prediction", part: str | None = None) -> None:
        """Append one prediction, and keep its image if the sampling rule says so and it fits.

        Args:
            image: (H, W) or (H, W, 3), uint8 or uint16, as it was judged.
            part: the physical part that it shows, if that is known.
        """
        row = _row(name, model, source, pixel_hash(image), found, part)
        content = png_bytes(image) if self.keeps(row["pixel_hash"], row["decision"]) else b""
        self._append(row, content)

    def record_without_picture(self, name: str, model: str, source: str, digest: str,
                               found: "Prediction", part: str | None = None) -> None:
        """Append one prediction whose picture is not kept; digest: of its pixels."""
        self._append(_row(name, model, source, digest, found, part), b"")

    def record_undecidable(self, name: str, model: str, source: str, reason: str,
                           part: str | None = None) -> None:
        """Append what could not be judged; `reason` is one sentence."""
        self._append({
            "source": source, "model": model, "name": _short(name), "decision": UNDECIDABLE,
            "reason": _plain(reason), "reasons": json.dumps([UNREADABLE]), "part": _short(part)},
            b"")

    def read(self, model: str | None = None, last: int | None = None) -> pd.DataFrame:
        """Rows in the order they were written, see COLUMNS: all that are in the database, those of
        one model version, or the `last` of these."""
        if not self.file.is_file():
            return _frame([])
        condition = "" if model is None else "WHERE model = :model"
        # SQLite takes a negative limit as none.
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM (SELECT {', '.join(COLUMNS)} FROM predictions {condition} "
                "ORDER BY id DESC LIMIT :last) ORDER BY id",
                {"model": model, "last": -1 if last is None else last}).fetchall()
        return _frame(rows)

    def keeps(self, digest: str, decision: str) -> bool:
        """The sampling rule; it follows from the pixels, so that the same image is kept or not
        wherever and however often it is judged."""
        if decision != "good" and self.settings.keep_stopped:
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
        with self._database.writing() as connection:
            old = [digest for (digest,) in connection.execute(
                "SELECT pixel_hash FROM pictures WHERE seen < ?", (limit,))]
            for digest in old:
                self._forget(connection, digest)
        return len(old)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        self._database.close()

    def _append(self, row: dict[str, Any], content: bytes) -> None:
        """A row, and the picture's content, b"" where it is not kept; both or none of them."""
        now = self._clock()
        with self._database.writing() as connection:
            kept = bool(content) and self._make_room(connection, row["pixel_hash"], len(content))
            insert(connection, {"time": now, **row, "kept": int(kept)})
            if kept:
                connection.execute(
                    "INSERT INTO pictures VALUES (?, ?, ?) ON CONFLICT (pixel_hash) DO UPDATE SET "
                    "seen = MAX(seen, excluded.seen)", (row["pixel_hash"], len(content), now))
                self._write_picture(self.image_file(row["pixel_hash"]), content)
            if used_bytes(connection) > self.settings.log_mib * MIB:
                self._rotate(connection)

    def _make_room(self, connection: sqlite3.Connection, digest: str, size: int) -> bool:
        """Whether a picture fits, once those that were seen longest ago are gone."""
        budget = self.settings.pictures_mib * MIB
        if size > budget:
            return False
        (taken,) = connection.execute("SELECT COALESCE(SUM(bytes), 0) FROM pictures "
                                      "WHERE pixel_hash != ?", (digest,)).fetchone()
        while size + taken > budget:
            other, held = connection.execute(
                "SELECT pixel_hash, bytes FROM pictures WHERE pixel_hash != ? "
                "ORDER BY seen, pixel_hash LIMIT 1", (digest,)).fetchone()
            self._forget(connection, other)
            taken -= held
        return True

    def _forget(self, connection: sqlite3.Connection, digest: str) -> None:
        self.image_file(digest).unlink(missing_ok=True)
        connection.execute("DELETE FROM pictures WHERE pixel_hash = ?", (digest,))
        connection.execute("UPDATE predictions SET kept = 0 WHERE kept = 1 AND pixel_hash = ?",
                           (digest,))

    def _write_picture(self, target: Path, content: bytes) -> None:
        if target.is_file():
            return
        try:
            private_folder(target.parents[1])
            private_folder(target.parent)
        except OSError as error:
            raise cannot_write(target, error) from error
        with atomic_file(target) as temporary:
            private_file(temporary)
            temporary.write_bytes(content)

    def _rotate(self, connection: sqlite3.Connection) -> None:
        """Move the older quarter of the rows out of the database."""
        rows = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM predictions ORDER BY id "
            "LIMIT (SELECT COUNT(*) / 4 FROM predictions)").fetchall()
        if not rows:
            return
        with atomic_file(self.folder / EARLIER) as temporary:
            private_file(temporary)
            _frame(rows).to_parquet(temporary, index=False)
        connection.execute("DELETE FROM predictions WHERE id <= ?", (rows[-1][0],))


def _row(name: str, model: str, source: str, digest: str, found: "Prediction",
         part: str | None) -> dict[str, Any]:
    # A score that is no number is below no threshold; "good" would be a wrong word for it.
    decided, look = math.isfinite(found.score), found.appearance
    return {
        "source": source, "model": model, "name": _short(name), "pixel_hash": digest,
        "score": found.score if decided else None, "p_value": found.p_value,
        "probability": found.probability, "threshold": found.threshold,
        "decision": found.decision if decided else UNDECIDABLE, "brightness": look.brightness,
        "contrast": look.contrast, "sharpness": look.sharpness,
        "reason": " ".join(doubt.sentence for doubt in found.reasons) if decided
        else "the score is not a number",
        "reasons": json.dumps([doubt.code for doubt in found.reasons] if decided else [NAN]),
        "part": _short(part)}


def _short(text: str | None) -> str | None:
    return None if text is None else _plain(text)[:LONGEST_NAME]


def _plain(text: str) -> str:
    """SQLite takes no half of a character, which a file's name may have."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {name: "str" if name in _TEXT else "float64" for name in COLUMNS}
    return frame.astype({**kinds, "id": "int64", "kept": "bool"})
