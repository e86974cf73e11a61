"""From a decision to a model version with its record, and to the aliases that point at it.

Every step can be repeated: a process killed between two of them is finished by running the same
command again, without a second version and without a moment in which no champion exists.
"""

import contextlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hdm.errors import RegistryError
from hdm.registry.mlflow_uris import model_uri
from hdm.registry.training_data import TrainingData

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
FINGERPRINT, RETRAIN_RUN = "hdm.fingerprint", "hdm.retrain_run"
CHAMPION_BEFORE = "hdm.champion_before"


class LoggedModel(NamedTuple):
    """A model that MLflow holds: its registry name, its address, the version that it is, and the
    hash of the list of its files."""

    name: str
    address: str
    version: str | None
    sums: str


class Champion(NamedTuple):
    """The version that serves at present; training: None where its tags do not tell."""

    version: str
    fingerprint: str
    training: TrainingData | None = None


def find_champion(client: Any, model: str) -> Champion | None:
    """The version behind the alias `champion`; None if there is none."""
    version = aliases(client, model).get(CHAMPION)
    if version is None:
        return None
    tags = client.get_model_version(model, version).tags
    return Champion(version, tags.get(FINGERPRINT, ""), TrainingData.from_tags(tags))


def champion_before(client: Any, model: str, version: str) -> Champion | None:
    """The champion that `version` was compared with when it was registered; None without one."""
    before = client.get_model_version(model, version).tags.get(CHAMPION_BEFORE)
    if not before:
        return None
    tags = client.get_model_version(model, before).tags
    return Champion(before, tags.get(FINGERPRINT, ""), TrainingData.from_tags(tags))


def aliases(client: Any, model: str) -> dict[str, str]:
    """Alias -> version of a registered model; aliases of deleted versions are left out."""
    found = {k: str(v) for k, v in client.get_registered_model(model).aliases.items()}
    if not found:
        return {}
    alive = {str(v.version) for v in client.search_model_versions(f"name = '{model}'")}
    return {alias: version for alias, version in found.items() if version in alive}


def files_of(mlflow: Any, model: str, version: str, into: Path | None = None) -> Path:
    """The folder of a model version, fetched if it is not local; nothing of it is checked.

    into: an existing folder that receives a copy, for callers that must clean up after themselves.

    Raises RegistryError if the version's files are gone.
    """
    try:
        return Path(mlflow.artifacts.download_artifacts(
            model_uri(model, version), dst_path=str(into) if into else None))
    except Exception as error:
        raise RegistryError(f"the files of {model} version {version} cannot be fetched "
                            f"({type(error).__name__}).") from error


def register_version(mlflow: Any, client: Any, logged: LoggedModel, tags: Mapping[str, str],
                     describe: Callable[[str], str]) -> str:
    """Make the logged model a version, or bring the one that it is up to date; its number.

    describe: from that number to the version's description.
    """
    model, version = logged.name, logged.version
    if version is None:
        with contextlib.redirect_stderr(io.StringIO()):  # MLflow's chatter
            made = mlflow.register_model(logged.address, model, tags=dict(tags))
        version = str(made.version)
    else:
        for key, value in tags.items():
            client.set_model_version_tag(model, version, key, value)
    client.update_model_version(model, version, describe(version))
    return version
