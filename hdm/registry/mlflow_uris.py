"""How MLflow names models and runs, where its pages show them, and how long its texts may be."""

import os
from typing import NamedTuple

from hdm.errors import RegistryError
from hdm.registry.address import is_http

MODELS = "models:/"
TEXT_LENGTH = 4900
"""Of a tag or a description; MLflow's own limit is 5000."""
LOCAL_UI = "http://127.0.0.1:5000"
"""Where `mlflow ui` listens."""
TRAINING = "?workflowType=machine_learning"
"""Opens MLflow's menu of training and models; its own choice is that of language models. The list
of models (`/#/models`) takes no notice of it, and is shown under either."""


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


def pages() -> str:
    """Where a browser finds MLflow: HDM_MLFLOW_UI, else the server's address, else where
    `mlflow ui` listens. A browser may know the server by another name than this process does."""
    store = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    found = os.environ.get("HDM_MLFLOW_UI", "").strip() or (store if is_http(store) else LOCAL_UI)
    return found.rstrip("/")


def run_page(experiment_id: str, run_id: str, at: str = "") -> str:
    """Address of a run's page; without `at`, a link for texts that MLflow itself shows."""
    where = f"experiments/{experiment_id}/runs" if experiment_id else "runs"
    return f"{_start(at)}{where}/{run_id}{TRAINING}"


def version_page(model: str, version: str, at: str = "") -> str:
    """Address of a model version's page; `at` as for `run_page`."""
    return f"{_start(at)}models/{model}/versions/{version}{TRAINING}"


def model_page(model: str, at: str = "") -> str:
    """Address of the list of a model's versions; `at` as for `run_page`."""
    return f"{_start(at)}models/{model}{TRAINING}"


def _start(at: str) -> str:
    return f"{at}/#/" if at else "#/"
