"""results.csv of a watched folder: a row a picture, on the disk before the next one is judged.

It is all that a watcher knows of the past: whoever is killed goes on from it.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hdm.csv_cells import restored, write_rows
from hdm.errors import ConfigError
from hdm.files import cannot_write, make_folder, sync
from hdm.terminal import harmless
from hdm.watching.dropped_files import Stamp

RESULTS = "results.csv"
COLUMNS = ("number", "time", "line", "lot", "part", "path", "model_version", "score", "p_value",
           "probability", "decision", "threshold", "reasons", "places", "overlay", "heatmap",
           "error", "bytes", "modified_ns", "sha256")
"""number: from 1. time: when it was judged, UTC. places: where the defects are, in pixels. sha256:
of the file, whose size and time of change are `bytes` and `modified_ns`."""
_TAIL = 2**16


class ResultsFile:
    """One writer, any number of readers; a row is complete or not there.

    Raises ConfigError for a file of other columns or of another line, HDMError where it cannot be
    read.
    """

    def __init__(self, file: Path, line: str) -> None:
        self.file = file
        self._judged: set[tuple[str, str]] = set()
        self._stamps: dict[str, Stamp] = {}
        self.next = 1
        self._joint = _cut_torn_row(file)
        for row in rows_of(file) if _size(file) else ():
            if row["line"] != line:
                raise ConfigError(f"{file} holds results of {row['line']}, not of {line}; choose "
                                  "another --output.")
            self._remember(row)

    def judged(self, path: str, digest: str) -> bool:
        """Whether there is a row of that content under that name."""
        return (one_line(path), digest) in self._judged

    def known(self, path: str, stamp: Stamp) -> bool:
        """Whether nothing has changed about a file since its row was written."""
        return self._stamps.get(one_line(path)) == stamp

    def same_again(self, path: str, stamp: Stamp) -> None:
        """All of that file's content has its rows: no reason to read it again."""
        self._stamps[one_line(path)] = stamp

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """All of the rows, on the disk when this returns, or none of them; raises HDMError."""
        text = io.StringIO()
        cells = [[one_line(row.get(column, "")) for column in COLUMNS] for row in rows]
        write_rows(text, *([] if _size(self.file) else [COLUMNS]), *cells)
        try:
            make_folder(self.file.parent)
            with self.file.open("ab") as stream:
                start = stream.seek(0, os.SEEK_END)
                try:
                    stream.write(self._joint + text.getvalue().encode("utf-8"))
                    stream.flush()
                    os.fsync(stream.fileno())
                except OSError:
                    with suppress(OSError):
                        stream.truncate(start)
                    raise
            if not start:
                sync(self.file.parent)
        except OSError as error:
            raise cannot_write(self.file, error) from error
        self._joint = b""
        for row in cells:
            self._remember(dict(zip(COLUMNS, row, strict=True)))

    def _remember(self, row: Mapping[str, Any]) -> None:
        try:
            stamp = Stamp(int(row["bytes"]), int(row["modified_ns"]))
            self.next = max(self.next, int(row["number"]) + 1)
        except ValueError:
            raise ConfigError(f"{self.file}: expected numbers in the columns number, bytes and "
                              f"modified_ns, found {dict(row)}; restore the file, or choose "
                              "another --output.") from None
        self._judged.add((row["path"], row["sha256"]))
        # That of a page says nothing of its file, of which further pages may be missing.
        self._stamps[row["path"]] = stamp


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a results.csv, texts as they were; raises ConfigError or HDMError."""
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            table = csv.DictReader(stream)
            if not set(COLUMNS) <= set(table.fieldnames or ()):
                raise ConfigError(f"{file}: expected the columns {', '.join(COLUMNS)}; choose "
                                  "another --output, or restore the file.")
            for row in table:
                yield {column: restored(row[column] or "") for column in COLUMNS}
    except (OSError, csv.Error) as error:
        raise ConfigError(f"cannot read {file} ({error}); restore it, or choose another --output."
                          ) from None


def one_line(cell: Any) -> Any:
    """Texts without line feeds, so that a whole line is a whole row; None is empty."""
    if not isinstance(cell, str):
        return "" if cell is None else cell
    text = cell.encode("utf-8", "backslashreplace").decode("utf-8")
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


def sweep(folder: Path, after: int) -> None:
    """Delete the pictures of rows that were never written: numbered `after` or more."""
    for file in folder.glob("*.png"):
        number = file.name.partition("_")[0]
        if number.isdigit() and int(number) >= after:
            file.unlink(missing_ok=True)


def places(regions: Iterable[Any], more: int = 0) -> str:
    """Where the regions are: "40 x 22 px at 118, 60; ..." from the left and from the top."""
    told = [f"{region.width} x {region.height} px at {region.left}, {region.top}"
            for region in regions]
    return "; ".join([*told, f"{more} more"] if more else told)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _head() -> bytes:
    text = io.StringIO()
    write_rows(text, COLUMNS)
    return text.getvalue().encode()


def _cut_torn_row(file: Path) -> bytes:
    """Take away what follows the last whole line: its writer was killed. What another program has
    saved since stays; returns what must come before the next row."""
    try:
        with file.open("rb+") as stream:
            size = end = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            start = stream.read(len(_head()))
            ours = bool(start) and _head().startswith(start)
            while end:
                start_at = max(0, end - _TAIL)
                stream.seek(start_at)
                found = stream.read(end - start_at).rfind(b"\n")
                if found >= 0:
                    end = start_at + found + 1
                    break
                end = start_at
            if end < size and ours:
                stream.truncate(end)
            return b"\n" if end < size and not ours else b""
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise cannot_write(file, error) from error
