"""Work on many items begins with few of them, and ends in order."""

import threading
import time

import pytest

from hdm.dataset.windowed import AHEAD, in_threads


def test_results_come_in_order_whatever_takes_long():
    def slow_at_first(number):
        time.sleep(0.02 if number < 3 else 0)
        return number * number

    assert list(in_threads(slow_at_first, range(200), 3)) == [n * n for n in range(200)]


def test_no_more_is_begun_than_a_window():
    taken = []

    def items():
        for number in range(10_000):
            taken.append(number)
            yield number

    results = in_threads(lambda number: number, items(), 2)
    assert next(results) == 0 and len(taken) <= 2 * AHEAD + 1
    results.close()


def test_what_work_raises_is_raised_and_the_rest_is_not_begun():
    done, lock = [], threading.Lock()

    def work(number):
        with lock:
            done.append(number)
        if number == 5:
            raise ValueError("five")

    with pytest.raises(ValueError, match="five"):
        list(in_threads(work, range(1000), 2))
    assert len(done) <= 5 + 2 * AHEAD + 2


def test_nothing_is_no_work():
    assert list(in_threads(str, (), 2)) == []
