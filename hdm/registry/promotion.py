"""From a decision to a model version with its record, and to the aliases that point at it.

Every step can be repeated: a process killed between two of them is finished by running the same
command again, without a second version and without a moment in which no champion exists.
"""

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.gate import Decision, Metrics
from hdm.registry.model import check_logged, log_detector

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
FINGERPRINT, RETRAIN_RUN = "hdm.fingerprint", "hdm.retrain_run"
TAG_LENGTH = 4900


class Champion(NamedTuple):
    """The version that serves at present."""

    version: str
    fingerprint: str


def find_champion(client: Any, model: str) -> Champion | None:
    """The version behind the alias `champion`; None if there is none."""
    version = aliases(client, model).get(CHAMPION)
    if version is None:
        return None
    tags = client.get_model_version(model, version).tags
    return Champion(version, tags.get(FINGERPRINT, ""))


def aliases(client: Any, model: str) -> dict[str, str]:
    """Alias -> version of a registered model; aliases of deleted versions are left out."""
    found = {k: str(v) for k, v in client.get_registered_model(model).aliases.items()}
    if not found:
        return {}
    alive = {str(v.version) for v in client.search_model_versions(f"name = '{model}'")}
    return {alias: version for alias, version in found.items() if version in alive}


def detector_of(mlflow: Any, model: str, version: str, into: Path | None = None) -> Path:
    """The detector folder inside a model version, fetched if it is not local.

    into: an existing folder that receives a copy, for callers that must clean up after themselves.

    Raises RegistryError if the version's files are gone or are not one of our models.
    """
    try:
        folder = Path(mlflow.artifacts.download_artifacts(
            f"models:/{model}/{version}", dst_path=str(into) if into else None))
        flavor = mlflow.models.Model.load(str(folder)).flavors["python_function"]
        detector = folder / flavor["artifacts"]["detector"]["path"]
    except Exception as error:
        raise RegistryError(f"the files of {model} version {version} cannot be fetched "
                            f"({type(error).__name__}).") from error
    if not detector.is_dir():
        raise RegistryError(f"{model} version {version} holds no detector folder.")
    return detector


def register_version(mlflow: Any, client: Any, line: Line, run_id: str, tags: Mapping[str, str],
                     description: str, metrics: Metrics) -> str:
    """Log the line's detector in run `run_id`, make it a version and return its number.

    A version that an interrupted attempt of the same run left behind is used again; its tags and
    description are brought up to date.
    """
    model = line.model_name
    version = _left_behind(client, model, run_id, tags[FINGERPRINT])
    if version is None:
        with mlflow.start_run(run_id=run_id):
            info = log_detector(mlflow, line.detector_folder, {"line": line.name})
            check_logged(mlflow, info.model_uri)
            mlflow.log_metrics({k: float(v) for k, v in metrics.items() if v is not None},
                               model_id=info.model_id)
            with contextlib.redirect_stderr(io.StringIO()):  # MLflow's chatter
                made = mlflow.register_model(info.model_uri, model, tags=dict(tags))
        version = str(made.version)
    else:
        for key, value in tags.items():
            client.set_model_version_tag(model, version, key, value)
    client.update_model_version(model, version, description)
    return version


def move_aliases(client: Any, model: str, version: str, decision: Decision,
                 champion: Champion | None, fingerprint: str) -> list[str]:
    """Point the aliases as decided and return those of `version`.

    promote: the champion becomes `previous` and `version` champion; whatever was challenger has
    been overtaken. Otherwise `version` becomes challenger and nothing else moves.
    """
    if decision.outcome != "promote":
        client.set_registered_model_alias(model, CHALLENGER, version)
        return [CHALLENGER]
    # An equal model registered again must not take the place of the one to roll back to.
    if champion and champion.version != version and champion.fingerprint != fingerprint:
        client.set_registered_model_alias(model, PREVIOUS, champion.version)
    client.set_registered_model_alias(model, CHAMPION, version)
    client.delete_registered_model_alias(model, CHALLENGER)
    return [CHAMPION]


def _left_behind(client: Any, model: str, run_id: str, fingerprint: str) -> str | None:
    for version in client.search_model_versions(f"name = '{model}'"):
        tags = version.tags
        if tags.get(RETRAIN_RUN) == run_id and tags.get(FINGERPRINT) == fingerprint:
            return str(version.version)
    return None
