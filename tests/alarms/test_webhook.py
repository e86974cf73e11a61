"""Alarms by HTTP POST, against a real server."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from hook_server import Hook, hook_server
from services import free_port

from hdm.alarms.alarm_message import Message
from hdm.alarms.alarm_settings import Webhook
from hdm.alarms.webhook import post
from hdm.errors import ConfigError, HDMError

MESSAGE = Message("ab12", "drift", "plate", "3", "2026-10-01T19:00:00Z",
                  "plate, version 3: images have become darker – since 18:46.")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as found:
        yield found


def test_a_receiver_gets_the_alarm_as_json(hook: Hook) -> None:
    post(Webhook(url=f"{hook.url}/alarm?key=1"), MESSAGE)
    [one] = hook.posted
    assert one.path == "/alarm?key=1" and one.headers["Content-Type"] == "application/json"
    told = json.loads(one.body)
    assert told["sentence"] == MESSAGE.sentence
    assert (told["line"], told["version"], told["event"], told["id"]) == (
        "plate", "3", "drift", "ab12")
    assert "X-HDM-Signature" not in one.headers


def test_a_secret_signs_the_body(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Webhook(url=hook.url, secret_env="PLANT_SECRET")
    with pytest.raises(ConfigError, match=r"variable PLANT_SECRET .* is not set"):
        post(settings, MESSAGE)
    assert not hook.posted
    monkeypatch.setenv("PLANT_SECRET", "Würfel")
    post(settings, MESSAGE)
    [one] = hook.posted
    expected = hmac.new("Würfel".encode(), one.body, hashlib.sha256).hexdigest()
    assert one.headers["X-HDM-Signature"] == f"sha256={expected}"


def test_a_receiver_that_is_busy_is_asked_again(hook: Hook) -> None:
    hook.answers = [503, 429]
    post(Webhook(url=hook.url), MESSAGE)
    assert len(hook.posted) == 3
    assert len({one.body for one in hook.posted}) == 1


@pytest.mark.parametrize(("answers", "retries", "said", "asked"), [
    ([404], 3, "it answered 404 Not Found", 1),
    ([503, 503], 1, "it answered 503 Service Unavailable", 2),
    ([302], 3, "it answered 302 Found", 1)])
def test_what_a_receiver_refuses_is_one_sentence(hook: Hook, answers: list[int], retries: int,
                                                 said: str, asked: int) -> None:
    hook.answers = answers
    with pytest.raises(HDMError, match=said):
        post(Webhook(url=hook.url, retries=retries), MESSAGE)
    assert len(hook.posted) == asked, "a redirect is not followed"


def test_a_receiver_that_is_away_or_slow_is_one_sentence(hook: Hook) -> None:
    with pytest.raises(HDMError, match="it cannot be reached"):
        post(Webhook(url=f"http://127.0.0.1:{free_port()}", retries=0), MESSAGE)
    hook.wait = 2
    with pytest.raises(HDMError, match="it did not answer in time"):
        post(Webhook(url=hook.url, timeout=0.2, retries=0), MESSAGE)
