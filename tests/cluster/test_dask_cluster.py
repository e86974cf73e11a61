"""Work over a real Dask cluster of two workers: the same results, whatever dies."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import spread_work
from image_files import fill

pytest.importorskip("distributed")

from benchmarks.scale.own_cluster import own_cluster
from hdm.cluster import dask_cluster
from hdm.cluster.spreading import HERE, spread
from hdm.errors import ConfigError, DataError, HDMError
from hdm.ingest.decoding import decode_all


def test_results_are_in_order_and_both_workers_have_a_part(cluster, tmp_path):
    found = spread(spread_work.squares, (0.002, tmp_path), range(200), cluster, part=5)
    assert list(found) == [number * number for number in range(200)]
    assert len(list(tmp_path.iterdir())) == 2


def test_no_more_is_begun_than_a_few_parts_ahead(cluster, tmp_path):
    taken = []
    found = spread(spread_work.squares, (0, tmp_path),
                   (taken.append(number) or number for number in range(10_000)), cluster, part=10)
    assert next(found) == 0 and len(taken) <= 10 * 2 * dask_cluster.AHEAD
    found.close()


def test_what_work_raises_is_raised_here(cluster):
    with pytest.raises(DataError, match="7 is not wanted"):
        list(spread(spread_work.refuses, 7, range(20), cluster, part=2))


def test_a_worker_that_is_killed_loses_nothing(cluster, tmp_path):
    killed = []

    def kill():
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.01)
        time.sleep(0.3)
        killed.append(int(next(tmp_path.iterdir()).name))
        os.kill(killed[0], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    found = list(spread(spread_work.squares, (0.02, tmp_path), range(100), cluster, part=4))
    assert killed and found == [number * number for number in range(100)]


def test_pictures_are_decoded_there_as_here_and_bad_ones_are_named(cluster, tmp_path):
    fill(tmp_path, 6, 0)
    (tmp_path / "003.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    names = [f"{number:03d}.png" for number in range(7)]
    here, there = (decode_all(tmp_path, names, cluster=where) for where in (HERE, cluster))
    assert here.facts == there.facts and here.bad == there.bad and set(here.bad) == \
        {"003.png", "006.png"}
    rows = np.arange(len(here.facts))
    assert np.array_equal(*(found.thumbnails(sorted(found.facts), 8)[rows]
                            for found in (here, there)))


def test_a_cluster_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 1.0)
    begin = time.monotonic()
    with pytest.raises(ConfigError, match=r"expected a Dask scheduler at compute.cluster tcp://127"
                       r".0.0.1:9, none answers.*start it with `dask scheduler`"):
        list(spread(spread_work.squares, (0, "."), range(3), "tcp://127.0.0.1:9"))
    assert time.monotonic() - begin < 10


def test_a_cluster_without_workers_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 1.0)
    with own_cluster(tmp_path, 0) as own, \
            pytest.raises(ConfigError, match=r"has had no worker.*dask worker tcp://"):
        list(spread(spread_work.squares, (0, "."), range(3), own.address))


@pytest.mark.slow
def test_work_that_kills_each_worker_ends(tmp_path):
    with own_cluster(tmp_path, 2, Path(__file__).parent) as own, \
            pytest.raises(HDMError, match=r"4 workers .* died over the same 5 .* from 5 to 9"):
        list(spread(spread_work.dies, 7, range(20), own.address, part=5))


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 5.0)
    with pytest.raises(HDMError, match=r"went away|has had no worker"), \
            own_cluster(tmp_path, 1, Path(__file__).parent) as own:
        found = spread(spread_work.squares, (0.05, tmp_path), range(1000), own.address, part=5)
        next(found)
        psutil.Process(own.scheduler).kill()
        list(found)
