"""What `MlflowClient` reads of a line, in milliseconds and without importing mlflow.

Importing it costs 2.5 s of processor time, and nothing in it can be had for less (its REST store
alone 1.8 s, SQLAlchemy and alembic 0.6 s). That is too much at three places: recognising the store,
once a line at every `dvc repro`; the live version and where its files are, for whatever judges
pictures; and the versions in `hdm history` and `hdm results`. All else asks MLflow's client.
`hdm.registry.store.ask` tries the clients below first, whose methods and attributes are named as
MLflow's; whatever they raise that is no RegistryError means that MLflow's has to be asked.
"""

import base64
import json
import os
import re
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from hdm.registry.address import PATIENCE, is_http, sqlite_file, unreachable
from hdm.registry.loopback import spare_loopback
from hdm.registry.sqlite_reading import reading

MISSING = "RESOURCE_DOES_NOT_EXIST"


class Missing(Exception):
    """There is no such thing, told as MLflow's own exception tells it."""

    error_code = MISSING


def quick_client(uri: str) -> "SqliteClient | ServerClient | None":
    """None where the store is neither a SQLite file nor a server."""
    file = sqlite_file(uri)
    if file:
        return SqliteClient(file)
    return ServerClient(uri) if is_http(uri) else None


class SqliteClient:
    """Asks the database file; one without MLflow's tables, or none at all, holds nothing."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def get_experiment_by_name(self, name: str) -> Any:
        """None if there is none."""
        return self._one("select experiment_id, creation_time, lifecycle_stage from experiments "
                         "where name = ?", name)

    def get_registered_model(self, name: str) -> Any:
        """Raises Missing."""
        found = self._one("select creation_time as creation_timestamp from registered_models "
                          "where name = ?", name)
        if found is None:
            raise Missing
        found.aliases = {row.alias: row.version for row in self._rows(
            "select alias, version from registered_model_aliases where name = ?", name)}
        found.tags = {row.key: row.value for row in self._rows(
            "select key, value from registered_model_tags where name = ?", name)}
        return found

    def search_model_versions(self, wanted: str) -> list[Any]:
        """`wanted` is "name = '...'"; without those that were deleted."""
        name = re.fullmatch("name = '([^']+)'", wanted)[1]  # type: ignore[index]
        self._one("select 1 as found from registered_models where name = ?", name)
        versions = self._rows(
            "select version, creation_time as creation_timestamp, run_id from model_versions "
            "where name = ? and current_stage != 'Deleted_Internal'", name)
        tags = self._rows("select version, key, value from model_version_tags where name = ?", name)
        for version in versions:
            version.tags = {tag.key: tag.value for tag in tags if tag.version == version.version}
        return versions

    def get_model_version(self, name: str, version: str) -> Any:
        """Raises Missing."""
        for found in self.search_model_versions(f"name = '{name}'"):
            if str(found.version) == str(version):
                return found
        raise Missing

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Where its files are. Raises Missing."""
        for found in self._rows("select version, storage_location, source from model_versions "
                                "where name = ? and current_stage != 'Deleted_Internal'", name):
            if str(found.version) == str(version):
                return str(found.storage_location or found.source)
        raise Missing

    def _one(self, sql: str, name: str) -> Any:
        rows = self._rows(sql, name)
        if len(rows) > 1:
            raise ValueError("the store has several workspaces")
        return rows[0] if rows else None

    def _rows(self, sql: str, name: str) -> list[Any]:
        if not self.file.is_file() or not self.file.stat().st_size:
            return []
        with reading(self.file) as connection:
            connection.row_factory = sqlite3.Row
            made = connection.execute("select 1 from sqlite_master where name = 'alembic_version'")
            return [SimpleNamespace(**dict(row)) for row in connection.execute(sql, (name,))] \
                if made.fetchone() else []


class ServerClient:
    """Asks an MLflow server, with the user or token that MLflow would name. One client asks for a
    thing once: a page of a hundred lines waits for each request."""

    def __init__(self, uri: str) -> None:
        self.uri, self._said = uri, dict[str, Any]()
        spare_loopback()

    def get_experiment_by_name(self, name: str) -> Any:
        """None if there is none."""
        try:
            found = self._get("experiments/get-by-name", experiment_name=name)["experiment"]
            return SimpleNamespace(**found)
        except Missing:
            return None

    def get_registered_model(self, name: str) -> Any:
        """Raises Missing."""
        found = self._get("registered-models/get", name=name)["registered_model"]
        named = {entry["alias"]: entry["version"] for entry in found.get("aliases", [])}
        tags = {entry["key"]: entry["value"] for entry in found.get("tags", [])}
        return SimpleNamespace(**{"creation_timestamp": 0, **found, "aliases": named,
                                  "tags": tags})

    def search_model_versions(self, wanted: str) -> list[Any]:
        """As many as MLflow's client gives at once."""
        found = self._get("model-versions/search", filter=wanted, max_results="10000")
        return [_version(entry) for entry in found.get("model_versions", [])]

    def get_model_version(self, name: str, version: str) -> Any:
        """Raises Missing."""
        return _version(self._get("model-versions/get", name=name, version=version)
                        ["model_version"])

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Where its files are. Raises Missing."""
        return str(self._get("model-versions/get-download-uri", name=name, version=version)
                   ["artifact_uri"])

    def _get(self, call: str, **values: str) -> Any:
        what = f"{call}?{urlencode(values)}"
        if what not in self._said:
            self._said[what] = self._asked(what)
        return self._said[what]

    def _asked(self, what: str) -> Any:
        request = Request(f"{self.uri.rstrip('/')}/api/2.0/mlflow/{what}")
        token, user, password = (os.environ.get(f"MLFLOW_TRACKING_{key}", "")
                                 for key in ("TOKEN", "USERNAME", "PASSWORD"))
        if user:
            word = base64.b64encode(f"{user}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        elif token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except HTTPError as error:
            if MISSING in error.read().decode(errors="replace"):
                raise Missing from None
            if error.code in (401, 403):
                raise unreachable(self.uri, f"it refused the user or token ({error.code})"
                                  ) from None
            raise


def _version(entry: dict[str, Any]) -> Any:
    tags = {tag["key"]: tag["value"] for tag in entry.get("tags", [])}
    return SimpleNamespace(**{"run_id": "", **entry, "tags": tags})
