"""`hdm deployments apply`, as far as no worker is needed; test_worker.py has the rest."""

from datetime import timedelta
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from hdm.errors import HDMError
from hdm.orchestration import prefect_recovery, prefect_server


@pytest.mark.parametrize(("address", "part"), [
    (None, "PREFECT_API_URL, found none"),
    ("http://127.0.0.1:9/api", "127.0.0.1:9/api, which does not answer")])
def test_without_a_server_the_sentence_says_what_to_do(
        project: Path, address: str | None, part: str) -> None:
    with temporary_settings({PREFECT_API_URL: address}), pytest.raises(HDMError) as caught:
        prefect_server.apply(project)
    assert part in str(caught.value)
    assert "prefect server start" in str(caught.value)
    assert (project / "prefect.yaml").is_file()


@pytest.mark.usefixtures("prefect_server")
def test_there_is_one_watch_however_often_it_is_put() -> None:
    from prefect.client.orchestration import get_client

    prefect_recovery.put(prefect_recovery.watch())
    prefect_recovery.put(prefect_recovery.watch(60))
    with get_client(sync_client=True) as client:
        [found] = client.read_automations_by_name(prefect_recovery.NAME)
    assert found.trigger.within == timedelta(seconds=60)  # type: ignore[union-attr]
    assert "60 seconds" in str(found.actions[0])


def test_silence_is_longer_than_several_signs_of_life() -> None:
    from hdm.orchestration.prefect_yaml import HEARTBEAT

    assert prefect_recovery.SILENCE >= 5 * HEARTBEAT
