"""What a registered version came from, and whether making it again gave the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hdm.errors import RegistryError
from hdm.registry.mlflow_client import first_line
from hdm.registry.model_versions import FINGERPRINT, RETRAIN_RUN


class Origin(NamedTuple):
    """Where a version comes from, as the registry tells.

    line, version; commit and whether files differed from it; data_hash of the manifest;
    fingerprint of the detector's files; settings (flat) and metrics of the run; libraries.
    """

    line: str
    version: str
    commit: str
    dirty: bool
    data_hash: str
    fingerprint: str
    settings: dict[str, str]
    metrics: dict[str, float]
    libraries: frozenset[str]


class Difference(NamedTuple):
    """One thing that is not the same: what, as registered, as reproduced."""

    what: str
    registered: str
    reproduced: str


class Remade(NamedTuple):
    """The same things of the version that was made again."""

    data_hash: str
    fingerprint: str
    settings: dict[str, str]
    metrics: dict[str, float]
    libraries: frozenset[str]


def origin(mlflow: Any, client: Any, model: str, version: str) -> Origin:
    """Read it from the version's tags and its run; raises RegistryError if that is not there."""
    try:
        tags = client.get_model_version(model, version).tags
        run = client.get_run(tags[RETRAIN_RUN])
        commit = tags.get("hdm.git_commit", "")
        listed = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/environment.txt")
    except Exception as error:
        raise RegistryError(f"{model} version {version} does not say where it comes from "
                            f"({first_line(error)}).") from error
    if not commit:
        raise RegistryError(f"{model} version {version} was made outside a git repository, so no "
                            "commit can be checked out.")
    # A line that was renamed since has its earlier name in that commit.
    return Origin(tags.get("line", model.removeprefix("hdm-")), version, commit,
                  run.data.tags.get("git_dirty") == "true", tags.get("hdm.data_hash", ""),
                  tags.get(FINGERPRINT, ""), dict(run.data.params), dict(run.data.metrics),
                  frozenset(listed.split()))


def compare(then: Origin, now: Remade) -> tuple[list[Difference], list[Difference]]:
    """Differing results, and differing causes: data, settings, libraries.

    Metrics count as equal if they are so to the last bit.
    """
    results = [Difference(name, _text(then.metrics.get(name)), _text(value))
               for name, value in sorted(now.metrics.items()) if then.metrics.get(name) != value]
    if then.fingerprint != now.fingerprint:
        results.append(Difference("detector files", then.fingerprint[:12], now.fingerprint[:12]))
    causes = []
    if then.dirty:
        causes.append(Difference("code", f"commit {then.commit[:12]} with uncommitted changes",
                                 f"commit {then.commit[:12]}"))
    if then.data_hash != now.data_hash:
        causes.append(Difference("data", then.data_hash[:12], now.data_hash[:12]))
    causes += _differing("setting", then.settings, now.settings)
    causes += _differing("library", _versions(then.libraries), _versions(now.libraries))
    return results, causes


def _differing(kind: str, then: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    return [Difference(f"{kind} {name}", then.get(name, "none"), now.get(name, "none"))
            for name in sorted(set(then) | set(now)) if then.get(name) != now.get(name)]


def _versions(libraries: frozenset[str]) -> dict[str, str]:
    return {name: version for name, _, version in (entry.partition("==") for entry in libraries)}


def _text(value: float | None) -> str:
    return "none" if value is None else repr(value)


def source_of(entry_path: str, project: Path) -> str:
    """The source's path as it must be written in a copy of the project elsewhere."""
    path = Path(entry_path)
    absolute = path if path.is_absolute() else (project / path).resolve()
    return entry_path if absolute.is_relative_to(project.resolve()) else str(absolute)
