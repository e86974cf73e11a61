"""How MLflow names models and runs, and how long its texts may be."""

from typing import NamedTuple

from hdm.errors import RegistryError
from hdm.registry.address import is_http

MODELS = "models:/"
TEXT_LENGTH = 4900
"""Of a tag or a description; MLflow's own limit is 5000."""


class ModelName(NamedTuple):
    """What a model's address says: the registered model, and an alias or a version of it."""

    model: str
    wanted: str
    by_alias: bool


def model_uri(model: str, version: str) -> str:
    """models:/NAME/VERSION."""
    return f"{MODELS}{model}/{version}"


def alias_uri(model: str, alias: str) -> str:
    """models:/NAME@ALIAS."""
    return f"{MODELS}{model}@{alias}"


def parse_model_uri(uri: str) -> ModelName:
    """Raises RegistryError for anything but models:/NAME@ALIAS and models:/NAME/VERSION."""
    address = uri.removeprefix(MODELS)
    by_alias = "@" in address
    model, _, wanted = address.partition("@" if by_alias else "/")
    if not uri.startswith(MODELS) or not model or not wanted or \
            not (by_alias or wanted.isdigit()):
        raise RegistryError(f"expected models:/NAME@ALIAS or models:/NAME/VERSION, received "
                            f"{uri!r}.")
    return ModelName(model, wanted, by_alias)


def run_page(store: str, experiment_id: str, run_id: str) -> str:
    """Address of a run's page; relative to wherever MLflow is opened if the store is no server."""
    server = store.rstrip("/") if is_http(store) else ""
    return f"{server}#/experiments/{experiment_id}/runs/{run_id}"
