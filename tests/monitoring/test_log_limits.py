"""The prediction log keeps within its limits, and to itself."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_prediction_log import found, picture

from hdm.dataset.images import pixel_hash
from hdm.monitoring import prediction_log
from hdm.monitoring.prediction_log import EARLIER, PredictionLog
from hdm.settings import Monitor

SMALL = 1024
"""Bytes that stand for a MiB here."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(prediction_log, "MIB", SMALL)


def log_of(folder: Path, **limits: int) -> PredictionLog:
    times = iter(range(10_000))
    return PredictionLog(folder, Monitor(**limits), clock=lambda: next(times))


def kept_files(log: PredictionLog) -> list[Path]:
    return list(log.folder.rglob("*.png"))


def test_the_pictures_seen_longest_ago_go_first(tmp_path) -> None:
    log = log_of(tmp_path, pictures_mib=5)
    for number in (1, 2, 3, 1, 4):  # about 1.4 KB each
        log.record(f"{number}", "1", "cli", picture(number, shape=(36, 36)), found(2.0, "defect"))
    there = [log.image_file(pixel_hash(picture(number, shape=(36, 36)))).is_file()
             for number in (1, 2, 3, 4)]
    assert there == [True, False, True, True]
    assert sum(file.stat().st_size for file in kept_files(log)) <= 5 * SMALL
    assert list(log.read()["name"]) == ["1", "2", "3", "1", "4"]
    assert list(log.read()["kept"]) == [True, False, True, True, True]


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3), (400, 20)])
def test_a_picture_larger_than_all_room_costs_no_row_and_no_other_picture(tmp_path, shape) -> None:
    log = log_of(tmp_path, pictures_mib=2)
    log.record("small", "1", "cli", picture(0), found(2.0, "defect"))
    log.record("large", "1", "cli", picture(1, shape=shape), found(2.0, "defect"))
    assert list(log.read()["kept"]) == [True, False] and len(kept_files(log)) == 1


def test_the_older_rows_move_and_the_database_stays_small(tmp_path) -> None:
    log = log_of(tmp_path, log_mib=200)
    for number in range(900):
        log.record_undecidable(f"{number:0400}", "1", "cli", "r")
    log.close()
    assert log.file.stat().st_size < 300 * SMALL
    rows, earlier = log.read(), pd.read_parquet(tmp_path / EARLIER)
    assert rows["id"].iloc[-1] == 900 and rows["id"].diff().dropna().eq(1).all()
    assert earlier["id"].iloc[-1] + 1 == rows["id"].iloc[0]
    assert list(earlier.columns) == list(rows.columns)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_nobody_else_reads_the_log_whatever_the_umask(tmp_path, umask) -> None:
    before = os.umask(umask)
    try:
        log = log_of(tmp_path / "log", log_mib=1)
        for number in range(20):
            log.record(f"{number}", "1", "cli", picture(number), found(2.0, "defect"))
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [log.folder,
                                                                 *log.folder.rglob("*")]}
    assert len(modes) > 40 and (tmp_path / "log" / EARLIER) in modes
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    log.close()


def test_a_log_that_others_could_read_is_closed_to_them(tmp_path) -> None:
    log = log_of(tmp_path / "log")
    log.record("a", "1", "cli", picture(0), found())
    log.close()
    log.file.chmod(0o644)
    log.folder.chmod(0o755)
    log.record("b", "1", "cli", picture(1), found())
    assert stat.S_IMODE(log.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700
    log.close()


@pytest.mark.parametrize("name", ["part\udcff.png", "a\x00b", "x" * 100_000, "\u202egnp.exe"])
def test_any_name_is_logged(tmp_path, name) -> None:
    log = log_of(tmp_path)
    log.record(name, "1", "rest", picture(0), replace(found(), anomaly_map=np.empty((0, 0))), name)
    log.record_undecidable(name, "1", "rest", f"{name} is cut off", name)
    assert len(log.read()) == 2 and log.read()["name"].str.len().max() <= 500
