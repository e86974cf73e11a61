"""The benchmark of scale: what it draws, watches and fits."""

import subprocess
import sys

import pytest

from benchmarks.scale.__main__ import table
from benchmarks.scale.added_pictures import added_study
from benchmarks.scale.drawn_source import draw_source
from benchmarks.scale.growth import a_picture, exponents
from benchmarks.scale.watched_run import watched
from hdm.ingest.readers import read_source


def test_drawn_pictures_are_a_line(tmp_path):
    draw_source(tmp_path, 120)
    records = read_source(tmp_path).records
    assert len(records) == 120 and sum(record.label for record in records) == 3
    assert all(bool(record.masks) == bool(record.label) for record in records)


def test_exponents_are_of_what_pictures_add_to_the_start():
    linear = {count: 7 + 0.002 * count for count in (100, 1000, 10_000, 100_000)}
    assert exponents(linear) == {10_000: pytest.approx(1.04, abs=0.01),
                                 100_000: pytest.approx(1.004, abs=0.001)}
    square = {count: 7 + 1e-6 * count**2 for count in (100, 1000, 10_000)}
    assert exponents(square)[10_000] == pytest.approx(2, abs=0.01)
    assert exponents({100: 7.0, 1000: 9.0}) == {} and exponents({}) == {}
    assert a_picture(linear) == pytest.approx(0.002) and a_picture({5: 1.0}) is None


def test_a_process_and_its_children_are_watched(tmp_path):
    child = "x = bytearray(60 << 20); import time; time.sleep(1)"
    code = ("import subprocess, sys, time; y = bytearray(30 << 20);"
            f"subprocess.run([sys.executable, '-c', {child!r}]); [i for i in range(3000000)]")
    seen = watched([sys.executable, "-c", code], tmp_path, tmp_path / "log")
    assert 60 <= seen.others < 120 and 30 <= seen.memory < 60 + 30 + 120
    assert seen.cpu > 0 and seen.wall >= 1
    with pytest.raises(subprocess.CalledProcessError):
        watched([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, tmp_path / "log")


def test_the_table_has_a_row_a_size():
    row = {"wall": 1.0, "cpu": 2.0, "memory": 300.0, "others": 0.0}
    text = table({"cores": 2, "preset": "instant", "stages": {
        "ingest": {"100": row, "1000": row | {"cpu": 4.0}, "10000": row | {"cpu": 22.0}}}})
    assert "| `ingest` | 10,000 | 1 s | 22 s | 1.00 | 2.00 ms |" in text


def test_pictures_are_added_before_the_third_time_alone(tmp_path):
    source, seen = tmp_path / "source", []
    draw_source(source, 100)

    def run(stage):
        seen.append((stage, len(list((source / "good").rglob("*.png")))))
        return {"cpu": float(len(seen)), "memory": 300.0}

    added_study(tmp_path, 100, 10, ["ingest", "validate"], run, source)
    assert seen == [("ingest", 98), ("validate", 98)] * 2 + [("ingest", 107), ("validate", 107)]
    assert "| `validate` | 2.0 s | 4.0 s | 6.0 s | 300 MiB |" in (tmp_path / "added.md").read_text()
