"""Which versions may go, and letting them go: never one that serves, served last, waits or is
pinned."""

from collections.abc import Collection, Sequence
from typing import Any

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.artifact_root import check_location
from hdm.registry.continuity import unfitting
from hdm.registry.decision_log import note
from hdm.registry.mlflow_client import first_line
from hdm.registry.mlflow_uris import MODELS
from hdm.registry.model_versions import aliases

PINNED = "hdm.pinned"


def expendable(versions: Sequence[int], protected: Collection[int], keep: int) -> list[int]:
    """Versions that may be deleted, oldest first.

    All but the `keep` newest of those that are not protected; protected ones do not count.
    """
    free = sorted(set(versions) - set(protected))
    return free[:max(0, len(free) - keep)]


def protected(client: Any, model: str) -> dict[int, str]:
    """Versions that must stay -> why: any alias, or a pin."""
    held = {int(version): f"alias {alias}" for alias, version in aliases(client, model).items()}
    pins = {int(v.version): "pinned" for v in client.search_model_versions(f"name = '{model}'")
            if v.tags.get(PINNED)}
    return pins | held


def prune(client: Any, line: Line, keep: int, *, dry_run: bool = False) -> list[int]:
    """Delete what is expendable, with its files; returns the versions.

    Aliases are looked up again before each deletion, as somebody may move one meanwhile. The run
    with its figures stays. Raises RegistryError, with nothing deleted, if the registry is not the
    one that the decision log speaks of, or files lie outside the project; also if it refuses.
    """
    model = line.model_name
    if said := unfitting(client, line):
        raise RegistryError(said)
    found = [int(v.version) for v in client.search_model_versions(f"name = '{model}'")]
    going = expendable(found, protected(client, model), keep)
    if dry_run:
        return going
    gone = []
    for version in going:
        if version in protected(client, model):
            continue
        try:
            _delete(client, tracking_uri(line.project), model, str(version))
        except RegistryError:
            raise
        except Exception as error:
            raise RegistryError(f"version {version} of {model} cannot be deleted "
                                f"({first_line(error)}); the others are as they were.") from error
        note(line, "delete", str(version), f"retention keeps {keep} versions")
        gone.append(version)
    return gone


def pin(client: Any, model: str, version: str, pinned: bool) -> None:
    """Keep a version for ever, or no longer; raises RegistryError if there is no such version."""
    try:
        client.get_model_version(model, version)
    except Exception as error:
        raise RegistryError(f"{model} has no version {version} ({first_line(error)}).") from error
    if pinned:
        client.set_model_version_tag(model, version, PINNED, "true")
    else:
        client.delete_model_version_tag(model, version, PINNED)


def _delete(client: Any, uri: str, model: str, version: str) -> None:
    """The version first: a version without files would be worse than files without a version."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    found = client.get_model_version(model, version)
    source = str(found.source)
    logged = client.get_logged_model(source.removeprefix(MODELS)) \
        if source.startswith(MODELS) else None
    if logged:
        check_location(uri, logged.artifact_location)
    client.delete_model_version(model, version)
    if logged:
        get_artifact_repository(logged.artifact_location).delete_artifacts()
        client.delete_logged_model(logged.model_id)
