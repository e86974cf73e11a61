"""The MLflow store of one line: created once, recognised in milliseconds.

Recognising must not cost an import of mlflow (1.8 s a line at every `dvc repro`), so SQLite and
servers are asked directly; anything unexpected is left to the MLflow client.
"""

import base64
import json
import os
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import (
    PATIENCE,
    artifact_location,
    check_reachable,
    is_http,
    sqlite_file,
    tracking_uri,
    unreachable,
)
from hdm.registry.client import connect, first_line
from hdm.registry.ledger import lock_folder


class Store(NamedTuple):
    """Identity of a line's part of an MLflow store; creation times are in ms since 1970."""

    experiment_id: str
    experiment_created: int
    model_created: int

    @property
    def key(self) -> str:
        """One word for the ledger: the experiment, not the model, decides where runs are."""
        return f"{self.experiment_id}@{self.experiment_created}"


class Surprise(Exception):
    """The quick look met something it does not know; ask the MLflow client."""


def experiment_name(line_name: str) -> str:
    """The experiment of a line."""
    return f"hdm/{line_name}"


def prepare(line: Line) -> Store:
    """The line's store; whatever is missing in it is created, by one process at a time.

    Raises RegistryError, within seconds, if the store cannot be used.
    """
    uri = tracking_uri(line.project)
    check_reachable(uri)
    found = identify(uri, line.name)
    if found:
        return found
    try:
        with FileLock(lock_folder(line.project) / "mlflow.lock", timeout=300):
            return identify(uri, line.name) or _create(uri, line)
    except Timeout:
        raise RegistryError("another process has been creating the MLflow store for 5 minutes; "
                            "end it and run the same command again.") from None


def identify(uri: str, line_name: str) -> Store | None:
    """The line's store at `uri`, or None if a part of it is missing. Reads only."""
    try:
        file = sqlite_file(uri)
        if file:
            return _identify_sqlite(file, line_name)
        if is_http(uri):
            return _identify_http(uri, line_name)
    except Surprise:
        pass
    return _identify_client(uri, line_name)


def has_version(uri: str, model: str, version: str) -> bool:
    """Whether the version is in the registry; True also where that cannot be told quickly."""
    try:
        file = sqlite_file(uri)
        if file:
            rows = _query(file, "select current_stage from model_versions "
                                "where name = ? and version = ?", (model, int(version)))
            return any(row[0] != "Deleted_Internal" for row in rows)
        if is_http(uri):
            return _get(uri, "model-versions/get", name=model, version=version) is not None
    except (Surprise, ValueError):
        pass
    return True


def alias_version(uri: str, model: str, alias: str) -> str | None:
    """The version behind an alias; None where there is no store, no model, no such alias, or the
    version was deleted. Reads only. Raises RegistryError if the store does not answer."""
    try:
        file = sqlite_file(uri)
        if file:
            return _alias_sqlite(file, model, alias)
        check_reachable(uri)
        if is_http(uri):
            return _alias_http(uri, model, alias)
    except Surprise:
        pass
    return _alias_client(uri, model, alias)


def _alias_sqlite(file: Path, model: str, alias: str) -> str | None:
    if not file.is_file() or not file.stat().st_size:
        return None
    known = _query(file, "select 1 from sqlite_master where name = ?",
                   ("registered_model_aliases",))
    rows = known and _query(
        file, "select v.version from registered_model_aliases a join model_versions v "
              "on v.name = a.name and v.version = a.version "
              "where a.name = ? and a.alias = ? and v.current_stage != 'Deleted_Internal'",
        (model, alias))
    if len(rows) > 1:
        raise Surprise("several workspaces")
    return str(rows[0][0]) if rows else None


def _alias_http(uri: str, model: str, alias: str) -> str | None:
    answer = _get(uri, "registered-models/get", name=model)
    try:
        found = answer["registered_model"].get("aliases", []) if answer else []
        versions = [str(entry["version"]) for entry in found if entry["alias"] == alias]
    except (KeyError, TypeError, AttributeError) as error:
        raise Surprise(str(error)) from None
    return versions[0] if versions and has_version(uri, model, versions[0]) else None


def _alias_client(uri: str, model: str, alias: str) -> str | None:
    client = connect(uri)
    try:
        models = client.search_registered_models(f"name = '{model}'")
        version = models[0].aliases.get(alias) if models else None
        alive = version and client.search_model_versions(f"name = '{model}'")
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error
    return str(version) if alive and str(version) in {str(v.version) for v in alive} else None


def _identify_sqlite(file: Path, line_name: str) -> Store | None:
    if not file.is_file() or not file.stat().st_size:
        return None
    if not _query(file, "select 1 from sqlite_master where name = 'alembic_version'", ()):
        return None
    experiments = _query(file, "select experiment_id, creation_time, lifecycle_stage "
                               "from experiments where name = ?", (experiment_name(line_name),))
    models = _query(file, "select creation_time from registered_models where name = ?",
                    (f"hdm-{line_name}",))
    if len(experiments) > 1 or len(models) > 1:
        raise Surprise("several workspaces")
    if not experiments or not models or experiments[0][2] != "active":
        return None
    return Store(str(experiments[0][0]), int(experiments[0][1] or 0), int(models[0][0] or 0))


def _query(file: Path, sql: str, values: tuple[Any, ...]) -> list[Any]:
    try:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Surprise(str(error)) from None


def _identify_http(uri: str, line_name: str) -> Store | None:
    experiment = _get(uri, "experiments/get-by-name", experiment_name=experiment_name(line_name))
    model = _get(uri, "registered-models/get", name=f"hdm-{line_name}")
    try:
        if not experiment or not model or experiment["experiment"]["lifecycle_stage"] != "active":
            return None
        return Store(str(experiment["experiment"]["experiment_id"]),
                     int(experiment["experiment"]["creation_time"]),
                     int(model["registered_model"]["creation_timestamp"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Surprise(str(error)) from None


def _get(uri: str, call: str, **query: str) -> dict[str, Any] | None:
    """One REST call; None if the server says that the thing does not exist."""
    request = Request(f"{uri.rstrip('/')}/api/2.0/mlflow/{call}?{urlencode(query)}")
    token, user = (os.environ.get(f"MLFLOW_TRACKING_{k}") for k in ("TOKEN", "USERNAME"))
    if user:
        password = os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
        word = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {word}")
    elif token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            content = json.load(answer)
    except HTTPError as error:
        body = error.read().decode(errors="replace")
        if "RESOURCE_DOES_NOT_EXIST" in body:
            return None
        if error.code in (401, 403):
            raise unreachable(uri, f"it refused the user or token ({error.code})") from None
        raise Surprise(str(error)) from None
    except (OSError, ValueError) as error:
        raise Surprise(str(error)) from None
    return content if isinstance(content, dict) else None


def _identify_client(uri: str, line_name: str) -> Store | None:
    client = connect(uri)
    try:
        experiment = client.get_experiment_by_name(experiment_name(line_name))
        models = client.search_registered_models(f"name = 'hdm-{line_name}'")
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error
    if experiment is None or experiment.lifecycle_stage != "active" or not models:
        return None
    return Store(str(experiment.experiment_id), int(experiment.creation_time or 0),
                 int(models[0].creation_timestamp or 0))


def _create(uri: str, line: Line) -> Store:
    """Database, experiment and empty registered model, whichever is missing."""
    client = connect(uri)
    name = experiment_name(line.name)
    try:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            client.create_experiment(name, artifact_location(uri, line.project),
                                     tags={"line": line.name})
        elif experiment.lifecycle_stage != "active":
            # The name stays taken in MLflow's trash, so nothing else could be logged.
            client.restore_experiment(experiment.experiment_id)
        if not client.search_registered_models(f"name = '{line.model_name}'"):
            client.create_registered_model(
                line.model_name, tags={"line": line.name, "owner": line.entry.owner},
                description=line.entry.description or f"Anomaly detector of {line.name}.")
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error
    store = identify(uri, line.name)
    if store is None:
        raise RegistryError(f"MLflow accepted the experiment {name!r} but does not show it; look "
                            "at the store with `mlflow ui` and run the same command again.")
    return store
