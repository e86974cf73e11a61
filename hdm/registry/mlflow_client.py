"""The MLflow client: imported late, quiet, and with short waits."""

import logging
import os
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hdm.errors import RegistryError
from hdm.registry.address import check_reachable, unreachable
from hdm.registry.artifact_root import check_own
from hdm.registry.loopback import spare_loopback

if TYPE_CHECKING:
    from mlflow import MlflowClient

QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # errors are raised as well, and are told once
    "GIT_PYTHON_REFRESH": "quiet",
    # A server that went away must cost seconds, not the quarter of an hour that is the default.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}

ASIDE = "(raised as a result of Query-invoked autoflush"
"""What SQLAlchemy puts before the reason."""


def load_mlflow() -> Any:
    """Import mlflow without its chatter and return the module."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    spare_loopback()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow

    for name in ("mlflow", "alembic", "sqlalchemy.engine"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return mlflow


def connect(uri: str) -> "MlflowClient":
    """A client of the store at `uri`; creates the tables of a new SQLite file.

    Use `hdm.registry.store.prepare` first where the store may not exist: two processes creating
    one SQLite file break it. Raises RegistryError, in one sentence and within seconds; also where a
    local store's files are another project's (see hdm.registry.artifact_root).
    """
    check_own(uri)
    return _client(uri)


def opened(uri: str) -> tuple["MlflowClient", Any]:
    """The client and the module mlflow, which looks at the same store. Raises as `connect`."""
    client, mlflow = connect(uri), load_mlflow()
    mlflow.set_tracking_uri(uri)
    return client, mlflow


@lru_cache(maxsize=4)
def _client(uri: str) -> "MlflowClient":
    check_reachable(uri)
    try:
        mlflow = load_mlflow()
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
        return client
    except RegistryError:
        raise
    except Exception as error:
        raise unreachable(uri, first_line(error)) from error


def first_line(error: BaseException) -> str:
    """The first line of an error's message that tells a reason, short enough for a tag."""
    lines = [line for line in str(error).strip().splitlines() if not line.startswith(ASIDE)]
    return (lines[0] if lines else type(error).__name__)[:400]
