"""Waiting for a Prefect server that is away."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from hdm.orchestration import prefect_wait

REQUEST = httpx.Request("GET", "http://x")
AWAY = [httpx.ConnectError("refused"), httpx.ReadTimeout("hangs"), httpx.ReadError("reset"), 503]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the server does at each question, in this order; then it is well."""
    given: list[Any] = []

    def get(_address: str, **_: Any) -> httpx.Response:
        answer = given.pop(0) if given else 200
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, request=REQUEST)

    monkeypatch.setenv("PREFECT_API_URL", "http://x/api")
    monkeypatch.setattr(prefect_wait, "httpx", SimpleNamespace(
        get=get, TransportError=httpx.TransportError))
    return given


@pytest.mark.parametrize("away", AWAY)
def test_a_run_begins_once_the_server_answers(answers: list[Any], away: Any) -> None:
    answers += [away, away]
    assert prefect_wait.wait_for_server(pause=0)
    assert answers == []


@pytest.mark.parametrize("away", AWAY)
def test_the_wait_has_an_end_and_a_sentence(
        answers: list[Any], away: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answers += [away] * 3
    assert not prefect_wait.wait_for_server(patience=0, pause=0)
    assert capsys.readouterr().out.startswith("error: the Prefect server at http://x/api did not")


def test_without_a_server_there_is_nothing_to_wait_for(
        answers: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "")
    answers.append(503)
    assert prefect_wait.wait_for_server(patience=0)
