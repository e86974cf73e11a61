"""What tests of several rooms share."""

import os
from collections.abc import Iterator

import pytest

# Small tensors on two cores: threads that wait for one another cost more than they give.
os.environ.setdefault("OMP_NUM_THREADS", "1")


MLFLOW_NAMES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME",
                "MLFLOW_RUN_ID", "HDM_TRACKING")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No store but the project's own, whatever was set outside or left by another test.

    mlflow.set_tracking_uri writes into the environment, where the next test would find it.
    """
    for name in MLFLOW_NAMES:
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back even where
        monkeypatch.delenv(name)  # nothing was set before


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One temporary Prefect server for all tests of flows; starting it takes ten seconds."""
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
