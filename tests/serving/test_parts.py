"""Batches, the check of a new model, and the journal."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from served import FakeJudge

from hdm.dataset.images import pixel_hash
from hdm.detector.regions import RegionRule
from hdm.errors import HDMError, RegistryError
from hdm.serving.batching import Batcher
from hdm.serving.live_model import Served, check
from hdm.serving.prediction_journal import Journal

FOUND, = FakeJudge().predict([np.zeros((2, 2), np.uint8)])


def served(judge) -> Served:
    return Served("plate", "2", judge, RegionRule(0.5), {})


def test_a_model_that_answers_with_no_numbers_does_not_serve() -> None:
    check(served(FakeJudge()))
    found = FakeJudge().predict([np.zeros((64, 64), np.uint8)])[0]
    for change in ({"score": float("nan")}, {"anomaly_map": np.full((64, 64), np.nan)},
                   {"anomaly_map": np.zeros((3, 3))}):
        broken = SimpleNamespace(**{**vars(found), **change})
        with pytest.raises(RegistryError, match="no numbers"):
            check(served(SimpleNamespace(predict=lambda _, found=broken: [found])))
    with pytest.raises(RegistryError, match="does not judge an image"):
        check(served(SimpleNamespace(predict=lambda _: [])))


def test_batches_are_bounded_and_of_one_version() -> None:
    first, second, sizes = FakeJudge(0.05), FakeJudge(0.0), []
    batcher = Batcher("plate", 4, 0.5, lambda: 99, sizes.append)
    image = np.full((4, 4), 40, np.uint8)
    one, two = served(first), served(second)
    answers = [batcher.submit(version, image) for version in (one, one, two, one, two, one, one)]
    assert all(answer.result(timeout=5).decision == "good" for answer in answers)
    batcher.close()
    assert sum(first.batches) == 5 and sum(second.batches) == 2
    assert max(sizes) <= 4 and sum(sizes) == 7


def test_a_lone_image_waits_for_nobody() -> None:
    batcher = Batcher("plate", 4, 10.0, lambda: 1, lambda _: None)
    begun = time.monotonic()
    batcher.submit(served(FakeJudge()), np.zeros((4, 4), np.uint8)).result(timeout=5)
    assert time.monotonic() - begun < 5  # not the ten seconds of a batch
    batcher.close()


def test_what_was_given_up_is_not_computed() -> None:
    judge = FakeJudge(0.1)
    batcher = Batcher("plate", 1, 0, lambda: 1, lambda _: None)
    answers = [batcher.submit(served(judge), np.zeros((4, 4), np.uint8)) for _ in range(3)]
    assert answers[1].cancel()
    batcher.close()
    assert answers[2].done() and judge.batches == [1, 1]


class Log:
    """A prediction log that waits at a gate, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.rows, self.gate, self.error = [], threading.Event(), error

    def record(self, name, model, source, image, found, part=None) -> None:
        self.gate.wait(5)
        if self.error:
            raise self.error
        self.rows.append((name, model, source))

    def record_without_picture(self, name, model, source, digest, found, part=None) -> None:
        assert not found.anomaly_map.size
        self.rows.append((name, model, source, digest))

    def record_undecidable(self, name, model, source, reason, part=None) -> None:
        self.rows.append((name, model, source, reason))

    def close(self) -> None:
        self.rows.append("closed")


def test_the_journal_writes_behind_and_drops_what_does_not_fit() -> None:
    log, dropped = Log(), []
    journal = Journal(log, dropped.append, waiting=2)
    begun = time.monotonic()
    for n in range(10):
        journal.record(f"{n}", "3", np.zeros((2, 2)), FOUND)
    assert time.monotonic() - begun < 2  # nobody waited at the gate
    log.gate.set()
    journal.close()
    assert dropped.count("full") >= 7
    assert log.rows[0] == ("0", "3", "rest") and log.rows[-1] == "closed"
    assert len(log.rows) - 1 + len(dropped) == 10


def test_large_images_do_not_pile_up_and_their_rows_are_kept(monkeypatch) -> None:
    monkeypatch.setattr("hdm.serving.prediction_journal.WAITING_BYTES", 1000)
    log, dropped = Log(), []
    journal = Journal(log, dropped.append)
    for number in range(4):
        journal.record(f"{number}", "3", np.full((20, 20), number, np.uint8), FOUND)
    log.gate.set()
    journal.close()
    assert dropped == [] and log.rows[:-1] == [
        ("0", "3", "rest"), ("1", "3", "rest"),
        *((f"{n}", "3", "rest", pixel_hash(np.full((20, 20), n, np.uint8))) for n in (2, 3))]


def test_a_log_that_fails_costs_rows_but_no_requests(caplog) -> None:
    log, dropped = Log(HDMError("the disk is full.")), []
    log.gate.set()
    journal = Journal(log, dropped.append)
    journal.record("a", "3", np.zeros((2, 2)), FOUND)
    journal.record("b", "3", np.zeros((2, 2)), FOUND)
    journal.record_undecidable("c", "3", "no image")
    journal.close()
    assert dropped == ["failed", "failed"]
    assert ("c", "3", "rest", "no image") in log.rows
    assert caplog.text.count("the disk is full") == 1
