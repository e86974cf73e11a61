"""Who is told when, and that a receiver that is away harms nobody."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hook_server import Hook, hook_server
from services import free_port

from hdm.alarms import telling
from hdm.alarms.telling import tell, told
from hdm.line import Line

PAGE = Path("data/plate/monitor/index.html")


@pytest.fixture
def hook(line: Line) -> Iterator[Hook]:
    with hook_server() as found:
        set_alarms(line, {"webhook": {"url": found.url, "retries": 0}})
        yield found


def set_alarms(line: Line, content: Any) -> None:
    (line.project / "alarms.yaml").write_text(json.dumps(content))


def sentences(hook: Hook) -> list[str]:
    return [json.loads(one.body)["sentence"] for one in hook.posted]


def test_an_alarm_is_told_once_however_often_somebody_looks(line: Line, hook: Hook, drift: Any
                                                            ) -> None:
    assert tell(line, drift("brightness"), PAGE) == ["webhook: told of the alarm"]
    assert tell(line, drift("brightness"), PAGE) == []
    assert len(hook.posted) == 1


def test_a_further_alarm_and_another_version_are_told(line: Line, hook: Hook, drift: Any) -> None:
    for record in (drift("brightness"), drift("brightness", "score"), drift("brightness", "score"),
                   drift("score", model="4"), drift("brightness")):
        tell(line, record, PAGE)
    assert sentences(hook) == ["plate, version 3: brightness.",
                               "plate, version 3: brightness; score.",
                               "plate, version 4: score."]
    assert len({json.loads(one.body)["id"] for one in hook.posted}) == 3


def test_a_steady_line_tells_nobody(line: Line, hook: Hook, drift: Any) -> None:
    assert tell(line, drift(), PAGE) == []
    assert not hook.posted and not (line.monitor_folder / "told.json").exists()


def test_without_settings_nobody_is_told(line: Line, drift: Any) -> None:
    assert tell(line, drift("brightness"), PAGE) == []


def test_a_receiver_that_was_away_is_told_at_the_next_look(line: Line, hook: Hook, drift: Any
                                                           ) -> None:
    hook.answers = [500]
    assert tell(line, drift("brightness"), PAGE) == [
        "webhook: it answered 500 Internal Server Error; it is tried again at the next look"]
    assert tell(line, drift("brightness"), PAGE) == ["webhook: told of the alarm"]
    assert json.loads(hook.posted[0].body)["id"] == json.loads(hook.posted[1].body)["id"]


def test_one_receiver_that_is_away_does_not_keep_the_other_from_being_told(
        line: Line, hook: Hook, drift: Any) -> None:
    set_alarms(line, {"webhook": {"url": hook.url}, "mail": {
        "host": "127.0.0.1", "port": free_port(), "sender": "a@b", "to": ["c@d"]}})
    first = tell(line, drift("brightness"), PAGE)
    assert first[0] == "webhook: told of the alarm" and first[1].startswith("mail: it cannot be")
    second = tell(line, drift("brightness"), PAGE)
    assert len(second) == 1 and second[0].startswith("mail: it cannot be reached")
    assert len(hook.posted) == 1


def test_a_receiver_that_never_answers_does_not_hold_the_look_up(
        line: Line, hook: Hook, drift: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LONGEST", 0.3)
    hook.wait = 5
    began = time.monotonic()
    [sentence] = tell(line, drift("brightness"), PAGE)
    assert "did not take the message within 0.3 s" in sentence
    assert time.monotonic() - began < 3


def test_a_receiver_of_one_line_is_not_told_of_another(line: Line, hook: Hook, drift: Any) -> None:
    set_alarms(line, {"webhook": {"url": hook.url}, "lines": {"plate": {"webhook": None}}})
    assert tell(line, drift("brightness"), PAGE) == []
    assert not hook.posted


@pytest.mark.parametrize("damage", ["alarms", "memory"])
def test_what_is_damaged_is_told_and_the_look_stands(line: Line, hook: Hook, drift: Any,
                                                     damage: str) -> None:
    if damage == "alarms":
        set_alarms(line, {"webhok": {}})
    else:
        line.monitor_folder.mkdir(parents=True)
        (line.monitor_folder / "told.json").write_text("{")
    [sentence] = tell(line, drift("brightness"), PAGE)
    assert sentence.startswith("alarms cannot be told: ")
    assert "did you mean 'webhook'" in sentence or "delete it" in sentence


def test_two_looks_at_once_tell_once(line: Line, hook: Hook, drift: Any) -> None:
    hook.wait = 0.5
    looks = [threading.Thread(target=tell, args=(line, drift("brightness"), PAGE))
             for _ in range(4)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()
    assert len(hook.posted) == 1
    assert told(line.monitor_folder) == {"webhook": ["3/1.5/brightness"]}


def test_another_look_is_not_waited_for(line: Line, hook: Hook, drift: Any) -> None:
    line.monitor_folder.mkdir(parents=True)
    with FileLock(line.monitor_folder / ".told.json.lock"):
        assert tell(line, drift("brightness"), PAGE) == []
    assert not hook.posted
