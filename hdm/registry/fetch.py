"""What the registry holds for a line: which version is live, and a version's files."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import sqlite_file, tracking_uri
from hdm.registry.artifact_root import check_own
from hdm.registry.local_model import local_model
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.mlflow_uris import model_uri, parse_model_uri
from hdm.registry.model_versions import CHAMPION, files_of
from hdm.registry.registered_files import checked
from hdm.registry.store import alias_version, ask, has_version


class Fetched(NamedTuple):
    """A registered version and its detector folder, as `hdm.HDM.load` takes it."""

    version: str
    folder: Path


def live_version(line: Line) -> str | None:
    """The version behind the line's alias `champion`, in milliseconds; None without a store, a
    model or the alias. Raises RegistryError if a store that should be there does not answer."""
    return alias_version(tracking_uri(line.project), line.model_name, CHAMPION)


def fetch(line: Line, uri: str, into: Path | None = None) -> Fetched:
    """The version that models:/NAME@ALIAS or models:/NAME/VERSION names, with its files, each of
    which is the one that was registered.

    into: an existing folder that receives a copy, which is what is checked. Without it files that
    are local stay in place. mlflow is not imported for local ones.
    Raises RegistryError for another address, an unknown version, or files that are gone or are
    not those that were registered.
    """
    name, wanted, by_alias = parse_model_uri(uri)
    store = tracking_uri(line.project)
    file = sqlite_file(store)
    if file and not file.is_file():  # connecting would make an empty one
        raise RegistryError(f"there is no registry at {file} yet; `hdm run {line.name}` makes it.")
    check_own(store)
    version = alias_version(store, name, wanted) if by_alias else wanted
    if version is None or not has_version(store, name, version):
        raise RegistryError(f"the registry has no {uri}; `hdm history {line.name}` lists the "
                            "versions there are.")
    folder = local_model(store, name, version)
    if folder is None:
        folder = _fetched(store, name, version, into)
    elif into:
        # What is loaded is what was checked, whoever writes into the store meanwhile.
        folder = shutil.copytree(folder, into / "model", symlinks=True)
    tags = ask(store, lambda client: client.get_model_version(name, version)).tags
    return Fetched(version, checked(folder, tags, name, version))


def check_version(line: Line, version: str) -> None:
    """Raise RegistryError if the files of a version are not those that were registered."""
    with TemporaryDirectory(prefix="hdm-check-") as scratch:
        fetch(line, model_uri(line.model_name, version), Path(scratch))


def _fetched(store: str, name: str, version: str, into: Path | None) -> Path:
    connect(store)
    mlflow = load_mlflow()
    mlflow.set_tracking_uri(store)
    mlflow.set_registry_uri(store)
    return files_of(mlflow, name, version, into)
