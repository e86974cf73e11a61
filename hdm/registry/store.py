"""The MLflow store of one line: created once, recognised in milliseconds."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from filelock import FileLock, Timeout

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import (
    check_reachable,
    sqlite_file,
    tracking_uri,
    unreachable,
)
from hdm.registry.artifact_root import artifact_location
from hdm.registry.ledger import lock_folder
from hdm.registry.mlflow_client import connect, first_line
from hdm.registry.quick_client import MISSING, quick_client

Answer = TypeVar("Answer")


class Store(NamedTuple):
    """Identity of a line's part of an MLflow store; creation times are in ms since 1970."""

    experiment_id: str
    experiment_created: int
    model_created: int

    @property
    def key(self) -> str:
        """One word for the ledger: the experiment, not the model, decides where runs are."""
        return f"{self.experiment_id}@{self.experiment_created}"


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


def ask(uri: str, question: Callable[[Any], Answer]) -> Answer:
    """What `question` finds with a client that reads: the quick one or, where that does not do,
    MLflow's. Raises RegistryError if the store cannot be read."""
    quick = quick_client(uri)
    if quick:
        try:
            return question(quick)
        except RegistryError:
            raise
        except Exception:
            logging.getLogger(__name__).debug("MLflow's client is asked", exc_info=True)
    client = connect(uri)
    try:
        return question(client)
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error


def identify(uri: str, line_name: str) -> Store | None:
    """The line's store at `uri`, or None if a part of it is missing. Reads only."""
    return ask(uri, lambda client: identified(client, line_name))


def identified(client: Any, line_name: str) -> Store | None:
    """The same, asked by `client`: MLflow's, or a quick one."""
    experiment = client.get_experiment_by_name(experiment_name(line_name))
    model = there(client.get_registered_model, f"hdm-{line_name}")
    if experiment is None or experiment.lifecycle_stage != "active" or model is None:
        return None
    return Store(str(experiment.experiment_id), int(experiment.creation_time or 0),
                 int(model.creation_timestamp or 0))


def has_version(uri: str, model: str, version: str) -> bool:
    """Whether the version is in the registry; True also where that cannot be told quickly."""
    quick = quick_client(uri)
    try:
        return quick is None or there(quick.get_model_version, model, version) is not None
    except RegistryError:
        raise
    except Exception:
        return True


def alias_version(uri: str, model: str, alias: str) -> str | None:
    """The version behind an alias; None where there is no store, no model, no such alias, or the
    version was deleted. Reads only. Raises RegistryError if the store does not answer."""
    def look(client: Any) -> str | None:
        found = there(client.get_registered_model, model)
        version = found and found.aliases.get(alias)
        alive = version and there(client.get_model_version, model, str(version))
        return str(version) if alive else None

    if not sqlite_file(uri):
        check_reachable(uri)
    return ask(uri, look)


def there(get: Callable[..., Any], *what: str) -> Any:
    """What a client gets, None where it says that there is no such thing."""
    try:
        return get(*what)
    except Exception as error:
        if getattr(error, "error_code", "") == MISSING:
            return None
        raise


def _create(uri: str, line: Line) -> Store:
    """Database, experiment and empty registered model, whichever is missing."""
    client = connect(uri)
    name = experiment_name(line.name)
    try:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            client.create_experiment(name, artifact_location(uri),
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
