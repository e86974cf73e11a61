"""What the registry holds for a line: which version is live, and a version's files."""

from pathlib import Path
from typing import NamedTuple

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import sqlite_file, tracking_uri
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.mlflow_uris import parse_model_uri
from hdm.registry.model_versions import CHAMPION, FINGERPRINT, detector_of
from hdm.registry.store import alias_version


class Fetched(NamedTuple):
    """A registered version and its detector folder, as `hdm.HDM.load` takes it."""

    version: str
    folder: Path


def live_version(line: Line) -> str | None:
    """The version behind the line's alias `champion`, in milliseconds; None without a store, a
    model or the alias. Raises RegistryError if a store that should be there does not answer."""
    return alias_version(tracking_uri(line.project), line.model_name, CHAMPION)


def fetch(line: Line, uri: str, into: Path | None = None) -> Fetched:
    """The version that models:/NAME@ALIAS or models:/NAME/VERSION names, with its files.

    into: an existing folder that receives a copy; without it, files that are local stay in place.
    Raises RegistryError for another address, an unknown version, or files that are gone or are
    not those that were registered.
    """
    name, wanted, by_alias = parse_model_uri(uri)
    store = tracking_uri(line.project)
    file = sqlite_file(store)
    if file and not file.is_file():  # connecting would make an empty one
        raise RegistryError(f"there is no registry at {file} yet; `hdm run {line.name}` makes it.")
    # Late: torch and scikit-learn come with it, and `live_version` is to be quick.
    from hdm.registry.logged_model import fingerprint

    client = connect(store)
    version = alias_version(store, name, wanted) if by_alias else wanted
    if version is None:
        raise RegistryError(f"the registry has no {uri}; `mlflow ui` shows what it has.")
    mlflow = load_mlflow()
    mlflow.set_tracking_uri(store)
    mlflow.set_registry_uri(store)
    folder = detector_of(mlflow, name, version, into)
    registered = client.get_model_version(name, version).tags.get(FINGERPRINT)
    if registered and fingerprint(folder) != registered:
        raise RegistryError(f"the files of {name} version {version} are not those that were "
                            "registered, they were damaged or changed; restore them from a backup "
                            "or roll back to another version.")
    return Fetched(version, folder)
