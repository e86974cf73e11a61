"""Paths that a source names: inside it, and such that a table can hold them."""

from collections.abc import Sequence
from pathlib import Path

from hdm.dataset.problems import printable
from hdm.errors import DataError
from hdm.ingest.readers import Record


def check_paths(root: Path, records: Sequence[Record]) -> None:
    """Raise DataError for files outside `root` and for names that are not UTF-8."""
    inside = root.resolve()
    known: dict[str, bool] = {}  # folders, each looked at once
    for record in records:
        for path in (record.path, *record.masks):
            if printable(path) != path:
                raise DataError(f"{printable(path)}: expected a file name in UTF-8, found bytes "
                                "that are not; rename the file.")
            file = root / path
            folder = path.rpartition("/")[0]
            if folder not in known:
                known[folder] = file.parent.resolve().is_relative_to(inside)
            if path.startswith("/") or ".." in path.split("/") or not known[folder] \
                    or (file.is_symlink() and not file.resolve().is_relative_to(inside)):
                kind = "a link that leads" if file.is_symlink() else "a path"
                raise DataError(f"{path}: expected a file inside {root}, found {kind} outside "
                                "it; put the file itself there or remove it.")
