"""A command that a page starts: one at a time, seen from any process, stopped when asked."""

import os
import subprocess
import sys
import time

import pytest
from ordering_line import ordering_line, wait_for_end

from hdm.errors import ConfigError
from hdm.home import orders


@pytest.fixture
def line(tmp_path, monkeypatch):
    return ordering_line(tmp_path, monkeypatch)


def test_what_ended_says_how_and_what_it_printed(line):
    orders.begin(line, ["hdm", "run", "plate"], "ann")
    order = wait_for_end(line)
    assert (order.state, order.code, order.who) == ("done", 0, "ann")
    assert order.command == "hdm run plate"
    assert orders.output(line) == ["run plate ann"]
    assert 0 <= order.seconds < 20
    orders.begin(line, ["hdm", "fail"], "bob")
    assert (wait_for_end(line).state, orders.output(line)) == ("failed", ["fail bob"])


def test_an_order_runs_until_it_is_known_how_it_ended(line, monkeypatch):
    """The process is gone before its exit code is written: a page read then is not told so."""
    written = orders.write_json

    def slowly(file, content):
        time.sleep(1 if content["ended"] else 0)
        written(file, content)

    monkeypatch.setattr(orders, "write_json", slowly)
    orders.begin(line, ["hdm", "fail"], "ann")
    states = set()
    ends = time.monotonic() + 20
    while (state := orders.last(line).state) != "failed" and time.monotonic() < ends:
        states.add(state)
        time.sleep(0.02)
    assert (state, states) == ("failed", {"running"})


def test_a_line_has_one_order_at_a_time_until_it_is_stopped(line):
    first = orders.begin(line, ["hdm", "sleep"], "ann")
    assert first.running
    with pytest.raises(ConfigError, match="`hdm sleep` of ann is still at work"):
        orders.begin(line, ["hdm", "run"], "bob")
    orders.stop(line)
    assert wait_for_end(line).state == "failed"
    orders.begin(line, ["hdm", "run"], "bob")
    assert wait_for_end(line).who == "bob"


def test_an_order_whose_home_has_ended_is_seen_by_the_next_one(line):
    """Home starts it in a process that then ends; how the order ends nobody sees."""
    code = ("from pathlib import Path; from hdm.home import orders; from hdm.line import Line; "
            "from hdm.pipelines import ProductLine, Source; from hdm.settings import Params; "
            f"line = Line('plate', Path({str(line.project)!r}), "
            "ProductLine(source=Source(path='raw')), Params()); "
            "orders.begin(line, ['hdm', 'sleep'], 'ann')")
    import hdm

    root = os.path.dirname(os.path.dirname(hdm.__file__))  # noqa: PTH120
    # Its own `hdm` is the real one; that of the order is found by the path of its environment.
    subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"],
                   check=True)
    order = orders.last(line)
    assert order.running and order.state == "running"
    orders.stop(line)
    ends = time.monotonic() + 20
    while orders.last(line).running and time.monotonic() < ends:
        time.sleep(0.02)
    assert (orders.last(line).state, orders.last(line).seconds) == ("ended", None)


def test_another_process_with_the_number_of_an_old_order_is_none_of_it(line):
    orders.begin(line, ["hdm", "run"], "ann")
    order = wait_for_end(line)
    mine = orders.Order(order.words, "ann", os.getpid(), 1.0, order.started)
    assert not mine.running
    assert mine.state == "ended"


def test_a_line_without_orders_has_none(line):
    assert orders.last(line) is None
    assert orders.output(line) == []
    orders.stop(line)
