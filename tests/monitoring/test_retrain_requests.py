"""However many alarms, and whatever the clock does: one retraining a cool-down."""

import json
import threading
from pathlib import Path

import pytest

from hdm.errors import HDMError
from hdm.monitoring.retrain_requests import FILE, ask, read

HOUR = 3_600.0


def test_a_storm_of_alarms_asks_once_a_cool_down(tmp_path: Path) -> None:
    waits = [ask(tmp_path, "3", "darker", 24, now=minutes * 60.0)
             for minutes in range(0, 72 * 60, 10)]
    assert sum(wait == 0 for wait in waits) == 3
    assert waits[1] == pytest.approx(24 * HOUR - 600)
    assert [entry["time"] / HOUR for entry in read(tmp_path)] == [0, 24, 48]
    assert read(tmp_path)[0] == {"kind": "request", "model": "3", "reason": "darker", "time": 0}


def test_a_clock_that_was_ahead_neither_blocks_nor_opens(tmp_path: Path) -> None:
    year = 365 * 24 * HOUR
    assert ask(tmp_path, "3", "darker", 24, now=year) == 0
    assert ask(tmp_path, "3", "darker", 24, now=HOUR) == 24 * HOUR
    assert ask(tmp_path, "3", "darker", 24, now=2 * HOUR) == 23 * HOUR
    assert ask(tmp_path, "3", "darker", 24, now=25 * HOUR) == 0
    assert [entry["kind"] for entry in read(tmp_path)] == ["request", "clock", "request"]


def test_looks_at_the_same_time_ask_once(tmp_path: Path) -> None:
    waits: list[float] = []
    threads = [threading.Thread(
        target=lambda: waits.append(ask(tmp_path, "3", "darker", 1, now=5.0))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0.0] + [HOUR] * 7


def test_a_line_that_was_cut_off_spoils_nothing(tmp_path: Path) -> None:
    ask(tmp_path, "3", "a\nb", 1, now=10.0)
    with (tmp_path / FILE).open("a") as stream:
        stream.write('\n{"time": 9')
    assert ask(tmp_path, "3", "darker", 1, now=20.0) == HOUR - 10
    assert ask(tmp_path, "4", "darker", 1, now=HOUR + 20) == 0
    assert [entry["model"] for entry in read(tmp_path)] == ["3", "4"]
    assert json.loads((tmp_path / FILE).read_text().splitlines()[1])["reason"] == "a\nb"


def test_no_cool_down(tmp_path: Path) -> None:
    assert [ask(tmp_path, "3", "darker", 0, now=1.0) for _ in range(3)] == [0, 0, 0]


def test_what_cannot_be_noted_does_not_go_ahead(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HDMError, match="cannot write"):
        ask(tmp_path / "file", "3", "darker", 1, now=1.0)
