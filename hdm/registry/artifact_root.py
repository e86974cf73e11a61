"""Where the files of a local store are, and that they are this project's own.

MLflow writes absolute paths into its database, also where it is given relative ones. A copy of the
project's folder would therefore write into the original and delete there, so the paths are looked
at each time the store is opened. A server keeps its files itself.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hdm.errors import RegistryError
from hdm.registry.address import sqlite_file, unreachable
from hdm.registry.sqlite_reading import reading

FOLDER = "mlruns"
BASES = (
    "select artifact_location from experiments where name like 'hdm/%'",
    "select replace(r.artifact_uri, '/' || r.run_uuid || '/artifacts', '') from runs r "
    "join experiments e using (experiment_id) where e.name like 'hdm/%'",
    "select replace(m.artifact_location, '/models/' || m.model_id || '/artifacts', '') "
    "from logged_models m join experiments e using (experiment_id) where e.name like 'hdm/%'",
)
"""Where our lines' runs and models lie, each without what MLflow appends."""


def own_folder(file: Path) -> Path:
    """Where the files of the store in the database `file` belong: mlruns in the project that it is
    in or, outside any project, beside it."""
    folder = next((parent for parent in file.parents if (parent / "pipelines.yaml").is_file()),
                  file.parent)
    return folder.resolve() / FOLDER


def artifact_location(uri: str) -> str | None:
    """Where a new experiment keeps its files; None leaves it to the server."""
    file = sqlite_file(uri)
    return own_folder(file).as_uri() if file else None


def local_path(location: str) -> Path | None:
    """The path of a location in the file system; None for one elsewhere, such as s3:."""
    parts = urlsplit(location)
    if parts.scheme not in ("", "file"):
        return None
    return Path(unquote(parts.path))


def foreign_folders(file: Path) -> list[Path]:
    """Folders outside the store's own one that it records for our lines, sorted."""
    own = own_folder(file).parent
    found = {path for base in _recorded(file) if (path := local_path(base))}
    return sorted(path for path in found if not _within(path, own))


def check_own(uri: str) -> None:
    """Raise RegistryError if the local store at `uri` records files outside its own folder."""
    file = sqlite_file(uri)
    if file:
        _refuse(foreign_folders(file), file)


def check_location(uri: str, location: str) -> None:
    """Raise RegistryError if `location` is not a place that the store at `uri` may change.

    Asked again right before files are deleted.
    """
    file, path = sqlite_file(uri), local_path(location)
    if file and path and not _within(path, own_folder(file).parent):
        _refuse([path], file)


def _refuse(foreign: Iterable[Path], file: Path) -> None:
    for folder in foreign:
        raise RegistryError(
            f"{file} records its files in {folder}, outside {own_folder(file).parent}: the project "
            "was copied or moved, and nothing there may be changed from here. Say "
            "`hdm registry relocate` once (--dry-run shows what it does), then the same command "
            "again.")


def _within(path: Path, folder: Path) -> bool:
    # The last name is not resolved: mlruns itself may be a link to a larger disk.
    return (path.parent.resolve() / path.name).is_relative_to(folder)


def _recorded(file: Path) -> set[str]:
    if not file.is_file() or not file.stat().st_size:
        return set()
    with reading(file) as database:
        try:
            return {base for query in BASES for (base,) in database.execute(query) if base}
        except sqlite3.OperationalError as error:
            if "no such" in str(error):  # no MLflow store, or another version's: MLflow says so
                return set()
            raise unreachable(f"sqlite:///{file}", str(error)) from error
