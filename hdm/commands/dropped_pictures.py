"""Judging what drops into a folder: from complete files to rows on the disk."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hdm.commands import prediction_table
from hdm.commands.exit_codes import sentence
from hdm.commands.followed_model import FollowedModel
from hdm.commands.image_search import pages_of
from hdm.commands.judged_row import Row, said
from hdm.commands.model_choice import named
from hdm.commands.prediction_recorder import Recorder, printable
from hdm.commands.prediction_table import BATCH, Judging, Overlays
from hdm.dataset.file_walk import told
from hdm.errors import DataError, HDMError
from hdm.watching.dropped_files import DroppedFiles, FolderAway, Look, Stamp
from hdm.watching.results_file import ResultsFile, places

PATIENCE = 10.0
"""Seconds for which a picture that cannot be read must have been unchanged before that is said of
it: some writers make a file at its full size first."""
Read = np.ndarray | DataError


class Dropped(NamedTuple):
    """A picture of a file. path: of the file below the folder; name: with the page. digest: SHA-256
    of the file."""

    path: str
    name: str
    stamp: Stamp
    digest: str


@dataclass(frozen=True)
class Writing:
    """What is written of the pictures, and where. folder: of results and pictures. recorder: makes
    that of the prediction log from a version; None where nothing is logged."""

    folder: Path
    lot: str
    overlays: Overlays
    heatmaps: bool
    part_of: Callable[[str], str | None]
    recorder: Callable[[str], Recorder] | None


@dataclass
class Watcher:
    """One folder, one line. tell: says a line to the user. stopped: whether to end after the
    pictures that are being judged. counts: how many pictures of this run got which decision."""

    line: str
    files: DroppedFiles
    results: ResultsFile
    model: FollowedModel
    writing: Writing
    tell: Callable[[str], None]
    stopped: Callable[[], bool]
    counts: Counter[str] = field(default_factory=Counter)
    _told: set[str] = field(default_factory=set)
    _trouble: str = ""

    def turn(self) -> Look | None:
        """Look once and judge what is complete; None where the folder is away, or results cannot be
        written, which is told once."""
        try:
            look = self.files.look()
            ready = list(look.ready.items())
            for start in range(0, len(ready), BATCH):
                if self.stopped():
                    break
                self._judge(ready[start:start + BATCH])
        except HDMError as error:
            what = "; it is waited for." if isinstance(error, FolderAway) else ""
            self._say_trouble(sentence(error) + what)
            return None
        if self._trouble:
            self.tell("it works again")
        self._trouble = ""
        self._tell_what_is_left(look)
        return look

    def _judge(self, ready: Sequence[tuple[str, Stamp]]) -> None:
        if news := self.model.look():
            self.tell(news)
        pictures = [picture for path, stamp in ready for picture in self._new(path, stamp)]
        done: list[tuple[Dropped, dict[str, Any], Row]] = []
        gone: set[str] = set()
        number = self.results.next
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start:start + BATCH]
            read = prediction_table.read([self._file(one.name) for one in batch])
            gone |= {one.path for one, image in zip(batch, read, strict=True)
                     if not self._final(one, image)}
            kept = [(one, image) for one, image in zip(batch, read, strict=True)
                    if one.path not in gone]
            for (one, _), row in zip(kept, self._rows(number, kept), strict=True):
                done.append((one, self._cells(number, one, row), row))
                number += 1
        done = [one for one in done if one[0].path not in gone]
        if not done:
            return
        self.results.append([cells for _, cells, _ in done])
        for one, cells, row in done:
            self.results.same_again(one.path, one.stamp)
            self.counts[said(row)] += 1
            self.tell(_line(cells, row))

    def _new(self, path: str, stamp: Stamp) -> list[Dropped]:
        """The pictures of a file that have no row yet."""
        try:
            with self._file(path).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:  # gone, or the share is: the next look tells
            return []
        names = [str(page.relative_to(self.files.folder)) for page in pages_of(self._file(path))]
        new = [Dropped(path, name, stamp, digest) for name in names
               if not self.results.judged(name, digest)]
        if not new:
            self.results.same_again(path, stamp)
        return new

    def _final(self, one: Dropped, image: Read) -> bool:
        """Whether the file is still the one that was hashed, and if it cannot be read, has been so
        for long enough."""
        return self.files.stamp(one.path) == one.stamp and not (
            isinstance(image, DataError) and self.files.age(one.path) < PATIENCE)

    def _rows(self, first: int, pictures: Sequence[tuple[Dropped, Read]]) -> list[Row]:
        writing, model = self.writing, self.model
        judging = Judging(model.detector, model.version, f"{self.line}, {named(model.version)}",
                          model.detector.region_rule, writing.folder, writing.overlays,
                          heatmaps=writing.heatmaps)
        recorder = writing.recorder(model.version) if writing.recorder else None
        files = [self._file(one.name) for one, _ in pictures]
        try:
            return prediction_table.judged(judging, first, files, [image for _, image in pictures],
                                           recorder)
        except HDMError:
            raise
        except Exception as error:  # one picture must not stop the others
            if len(pictures) > 1:
                return [self._rows(number, [picture])[0]
                        for number, picture in enumerate(pictures, first)]
            if isinstance(pictures[0][1], DataError):
                raise
            cannot = DataError(f"{pictures[0][0].name}: cannot be judged: {sentence(error)}")
            return self._rows(first, [(pictures[0][0], cannot)])

    def _cells(self, number: int, one: Dropped, row: Row) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        name = printable(self._file(one.name))
        return {**row.as_cells(), "number": number, "time": now, "line": self.line,
                "lot": self.writing.lot, "part": self.writing.part_of(name), "path": one.name,
                "places": places(row.regions.told, row.regions.more), "bytes": one.stamp.size,
                "modified_ns": one.stamp.modified, "sha256": one.digest}

    def _file(self, path: str) -> Path:
        return self.files.folder / path

    def _tell_what_is_left(self, look: Look) -> None:
        new = {reason: [path for path in paths if path not in self._told]
               for reason, paths in look.left.items()}
        self._told.update(path for paths in new.values() for path in paths)
        for text in told({reason: paths for reason, paths in new.items() if paths}):
            self.tell(f"left aside: {text}")
        for path, reason in look.stuck.items():
            if (text := f"waits: {path}: {reason}") not in self._told:
                self.tell(text)
            self._told.add(text)

    def _say_trouble(self, text: str) -> None:
        if text != self._trouble:
            self.tell(text)
        self._trouble = text


@dataclass(frozen=True)
class LenientRecorder(Recorder):
    """A log that cannot be written to is told, and nothing else waits for it."""

    tell: Callable[[str], None] = print

    def judged(self, file: Path, image: np.ndarray, found: Any) -> None:
        """As the log's own, but for errors."""
        try:
            super().judged(file, image, found)
        except HDMError as error:
            self.tell(f"not logged for `hdm monitor`: {error}")

    def failed(self, file: Path, error: DataError) -> None:
        """As the log's own, but for errors."""
        try:
            super().failed(file, error)
        except HDMError as trouble:
            self.tell(f"not logged for `hdm monitor`: {trouble}")


def _line(cells: dict[str, Any], row: Row) -> str:
    """What is said of one picture."""
    clock = time.strftime("%H:%M:%S")
    if row.error:
        return f"{clock}  unreadable   {row.error}"
    score = "" if row.score is None else f"score {row.score:.2f}, threshold {row.threshold:.2f}"
    more = [text for text in (score, cells["places"], row.reasons) if text]
    return f"{clock}  {row.decision:11}  {cells['path']}  {'; '.join(more)}"
