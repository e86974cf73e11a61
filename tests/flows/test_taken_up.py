"""How often a lost run is taken up."""

from types import SimpleNamespace
from typing import Any

import pytest

from flows import taken_up


def run_begun(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Any = SimpleNamespace(flow_run=SimpleNamespace(run_count=times),
                               flow=SimpleNamespace(name="hdm-retrain"))
    monkeypatch.setattr(taken_up, "FlowRunContext", SimpleNamespace(get=lambda: run))


@pytest.mark.parametrize("times", [1, 4])
def test_three_times(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run_begun(times, monkeypatch)
    taken_up.check_times_taken_up("plate")


def test_not_more(monkeypatch: pytest.MonkeyPatch) -> None:
    run_begun(5, monkeypatch)
    with pytest.raises(taken_up.GivenUp, match=r"begun 4 times.*hdm-retrain/plate"):
        taken_up.check_times_taken_up("plate")
