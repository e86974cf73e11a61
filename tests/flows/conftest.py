"""Fixtures of this room: see toy_project; and flows that are over sooner."""

import pytest
from toy_project import project, template

from flows import retrain

__all__ = ["project", "template"]


@pytest.fixture
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrain.dvc_stage, "retry_delay_seconds", [0] * retrain.RETRIES)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting DVC takes most of the time, so most tests do with fewer stages."""
    monkeypatch.setattr(retrain, "STAGES", ("validate", "register"))
