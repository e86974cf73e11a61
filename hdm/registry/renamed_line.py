"""A line's experiment and registered model under another name, or marked as those of a line that
was removed. Nothing is deleted: runs, versions, aliases and files stay what they were.

MLflow keeps creation times, numbers, aliases, tags and places of files through a renaming, so the
line's store is the same one for ledger and receipts (see hdm.registry.store). Runs and versions
keep the tag `line` that they were made with.
"""

import json
from pathlib import Path
from typing import Any

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.address import tracking_off, tracking_uri, unreachable
from hdm.registry.mlflow_client import connect, first_line
from hdm.registry.store import ask, experiment_name, there

REMOVED, EARLIER = "hdm.removed", "hdm.earlier_names"
VERSIONS_OF = "mlflow.modelVersions"
"""Tag of a logged model that says which versions it is; MLflow's pages link by it."""


def model_of(line_name: str) -> str:
    """The registered model of a line, by the line's name."""
    return f"hdm-{line_name}"


def in_registry(line: Line, name: str) -> tuple[bool, int]:
    """Whether the store has an experiment or a model of a line called `name`, and its number of
    versions. Reads only. Raises RegistryError if the store does not answer, or is switched off:
    what is changed without it would have to be changed there by hand."""
    if tracking_off():
        raise RegistryError("HDM_TRACKING is off, so that the model registry cannot follow; unset "
                            "it and run the same command again.")

    def look(client: Any) -> tuple[bool, int]:
        model = there(client.get_registered_model, model_of(name))
        found = client.search_model_versions(f"name = '{model_of(name)}'") if model else []
        return bool(model or client.get_experiment_by_name(experiment_name(name))), len(found)

    return ask(tracking_uri(line.project), look)


def removed_since(project: Path, name: str) -> str:
    """When a line called `name` was removed and by whom, if the registry keeps its models; ''."""
    def look(client: Any) -> str:
        model = there(client.get_registered_model, model_of(name))
        return str(model.tags.get(REMOVED, "")) if model else ""

    return "" if tracking_off() else ask(tracking_uri(project), look)


def rename_in_registry(line: Line, old: str, new: str) -> None:
    """Rename what the store has of the line `old`; what is renamed already is left alone, so that
    it may be done again. Raises RegistryError."""
    if not (in_registry(line, old)[0] or in_registry(line, new)[0]):
        return  # connecting would make a store
    uri = tracking_uri(line.project)
    client = connect(uri)
    try:
        experiment = client.get_experiment_by_name(experiment_name(old))
        if experiment is not None:
            client.rename_experiment(experiment.experiment_id, experiment_name(new))
        experiment = client.get_experiment_by_name(experiment_name(new))
        if experiment is not None:
            client.set_experiment_tag(experiment.experiment_id, "line", new)
        if there(client.get_registered_model, model_of(old)) is not None:
            client.rename_registered_model(model_of(old), model_of(new))
        model = there(client.get_registered_model, model_of(new))
        if model is None:
            return
        names = model.tags.get(EARLIER, "").split()
        client.set_registered_model_tag(model.name, "line", new)
        client.set_registered_model_tag(model.name, EARLIER, " ".join(dict.fromkeys([*names, old])))
        for version in client.search_model_versions(f"name = '{model.name}'"):
            _link(client, version)
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error


def mark_removed(line: Line, name: str, said: str) -> None:
    """Say on the line's model and experiment that the line was removed. Raises RegistryError."""
    if not in_registry(line, name)[0]:
        return
    uri = tracking_uri(line.project)
    client = connect(uri)
    try:
        experiment = client.get_experiment_by_name(experiment_name(name))
        if experiment is not None:
            client.set_experiment_tag(experiment.experiment_id, REMOVED, said)
        if there(client.get_registered_model, model_of(name)) is not None:
            client.set_registered_model_tag(model_of(name), REMOVED, said)
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error


def _link(client: Any, version: Any) -> None:
    """The logged model behind a version names the version as it is called now."""
    if not version.source.startswith("models:/m-"):
        return
    logged = there(client.get_logged_model, version.source.removeprefix("models:/"))
    if logged is not None:
        named = json.dumps([{"name": version.name, "version": int(version.version)}])
        if logged.tags.get(VERSIONS_OF) not in (None, named):
            client.set_logged_model_tags(logged.model_id, {VERSIONS_OF: named})
