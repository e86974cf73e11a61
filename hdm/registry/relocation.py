"""A copied or moved local store takes its files from its own folder from now on.

Only paths in its database are rewritten, in one transaction and after a backup; no file of any
folder is touched.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hdm.errors import RegistryError
from hdm.files import atomic_file
from hdm.registry.address import unreachable
from hdm.registry.artifact_root import foreign_folders, local_path, own_folder
from hdm.registry.sqlite_reading import PATIENCE, reading

COLUMNS = (("experiments", "artifact_location"), ("runs", "artifact_uri"),
           ("logged_models", "artifact_location"), ("model_versions", "storage_location"),
           ("model_versions", "source"), ("trace_tags", "value"))
"""Where MLflow keeps absolute paths of a store's own files."""


class Relocation(NamedTuple):
    """What was or would be rewritten: folders before, folder now, table -> rows, and the backup,
    None where nothing was done."""

    before: Sequence[Path]
    now: Path
    rows: dict[str, int]
    backup: Path | None = None


class _Change(NamedTuple):
    table: str
    column: str
    row: int
    before: str
    now: str


def relocate(file: Path, *, dry_run: bool = False) -> Relocation:
    """Rewrite every path in the database `file` that lies in a folder outside its project.

    Raises RegistryError, with nothing changed, where files would get lost or stay shared: those
    that are still in the other folder and not here, or a folder that is a link to the other's.
    """
    before, now = _outermost(foreign_folders(file)), own_folder(file)
    if not before:
        return Relocation(before, now, {})
    _refuse_shared(before, now, file)
    try:
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as database:
            # From here on nobody else writes, so that the plan stays true.
            database.execute("begin immediate")
            changes = list(_changes(database, before, now))
            _refuse_missing(changes, now)
            rows = dict(Counter(change.table for change in changes))
            if dry_run:
                return Relocation(before, now, rows)
            backup = _backup(file)
            for change in changes:
                database.execute(f'update "{change.table}" set "{change.column}" = ? '
                                 "where rowid = ?", (change.now, change.row))
            database.execute("commit")
    except sqlite3.Error as error:
        raise unreachable(f"sqlite:///{file}", str(error)) from error
    return Relocation(before, now, rows, backup)


def _outermost(folders: Sequence[Path]) -> list[Path]:
    return [one for one in folders
            if not any(one != other and one.is_relative_to(other) for other in folders)]


def _changes(database: sqlite3.Connection, before: Sequence[Path], now: Path) -> Iterator[_Change]:
    tables = {name for (name,) in database.execute("select name from sqlite_master")}
    for table, column in COLUMNS:
        if table not in tables:
            continue
        for row, text in database.execute(f'select rowid, "{column}" from "{table}"').fetchall():
            path = local_path(text) if text else None
            folder = path and next((one for one in before if path.is_relative_to(one)), None)
            if path and folder:
                moved = now / path.relative_to(folder)
                yield _Change(table, column, row, text, moved.as_uri()
                              if text.startswith("file:") else str(moved))


def _refuse_shared(before: Sequence[Path], now: Path, file: Path) -> None:
    shared = [folder for folder in before if (folder.parent / file.name).is_file()]
    if shared and not now.resolve().is_relative_to(now.parent):
        raise RegistryError(
            f"{now} is a link to {now.resolve()}, which the project at {shared[0].parent} may use "
            "as well; put a copy of that folder in the place of the link, then say `hdm registry "
            "relocate` again.")


def _refuse_missing(changes: Sequence[_Change], now: Path) -> None:
    missing = sorted({there for change in changes if change.table != "experiments"
                      and (there := local_path(change.before)) and there.exists()
                      and not Path(str(local_path(change.now))).exists()})
    if missing:
        raise RegistryError(
            f"expected the files of {len(missing)} runs or models in {now}, found them in their "
            f"former folder only ({missing[0]} is one); copy that folder's content to {now}, then "
            "say `hdm registry relocate` again. Nothing was changed.")


def _backup(file: Path) -> Path:
    copy = file.with_name(f"{file.name}.before-relocation-{time.strftime('%Y%m%dT%H%M%S')}")
    with atomic_file(copy) as temporary, reading(file) as source, \
            closing(sqlite3.connect(temporary)) as target:
        source.backup(target)
    return copy
