"""A run while Prefect's server is away: what it waits for, and what it does without."""

import pytest

from flows import outage


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(("failures", "told"), [(0, True), (2, True), (99, False)])
def test_what_cannot_be_told_costs_no_run(
        monkeypatch: pytest.MonkeyPatch, failures: int, told: bool) -> None:
    from prefect import flow

    monkeypatch.setattr(outage._attempt, "retry_delay_seconds", [0] * len(outage.DELAYS))
    left = [failures]

    def call() -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("Failed to reach API at http://x/api")

    @flow
    def result() -> str:
        return f"kept, told {outage.tell('the results', call)}"

    assert result() == f"kept, told {told}"
