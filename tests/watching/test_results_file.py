"""results.csv: whole rows, each picture once, whatever happens in between."""

import csv
import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdm.errors import ConfigError, HDMError
from hdm.watching.dropped_files import Stamp
from hdm.watching.results_file import COLUMNS, RESULTS, ResultsFile, rows_of, sweep


def row(number: int, path: str = "a.png", digest: str = "d1", **more) -> dict:
    return {"number": number, "time": "2026-10-01T18:46:00Z", "line": "plates", "path": path,
            "decision": "good", "score": 0.25, "bytes": 7, "modified_ns": 1_790_000_000_123_456_789,
            "sha256": digest, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / RESULTS


def test_rows_come_back(file) -> None:
    ResultsFile(file, "plates").append([row(1), row(2, "b.png", lot="A7", score=None)])
    again = ResultsFile(file, "plates")
    again.append([row(3, "c.png")])
    found = list(rows_of(file))
    assert [one["path"] for one in found] == ["a.png", "b.png", "c.png"]
    assert (found[0]["score"], found[1]["score"], found[1]["lot"]) == ("0.25", "", "A7")
    assert again.judged("a.png", "d1") and not again.judged("a.png", "d2")
    assert again.known("b.png", Stamp(7, 1_790_000_000_123_456_789))
    assert not again.known("b.png", Stamp(8, 1_790_000_000_123_456_789))
    assert again.next == 4


def test_a_row_that_a_kill_cut_off_is_gone_and_the_others_stay(file) -> None:
    results = ResultsFile(file, "plates")
    results.append([row(1)])
    whole = file.stat().st_size
    results.append([row(2, "b.png", places="10 x 10 px at 3, 4")])
    content = file.read_bytes()
    for length in range(whole, len(content)):
        file.write_bytes(content[:length])
        again = ResultsFile(file, "plates")
        assert again.judged("a.png", "d1") and not again.judged("b.png", "d1"), length
        assert file.stat().st_size == whole and again.next == 2


@pytest.mark.parametrize("length", range(0, 40, 7))
def test_a_head_that_a_kill_cut_off_is_written_again(file, length) -> None:
    file.write_bytes(b'"number","time","line","lot","part","path"'[:length])
    results = ResultsFile(file, "plates")
    results.append([row(1)])
    assert [one["path"] for one in rows_of(file)] == ["a.png"]


@given(name=st.text(st.characters(exclude_categories=()), min_size=1, max_size=20))
def test_any_name_is_one_row_and_found_again(tmp_path_factory, name) -> None:
    file = tmp_path_factory.mktemp("any") / RESULTS
    ResultsFile(file, "plates").append([row(1, name), row(2, "b.png")])
    assert file.read_bytes().count(b"\n") == 3
    again = ResultsFile(file, "plates")
    assert again.judged(name, "d1") and again.known(name, Stamp(7, 1_790_000_000_123_456_789))


def test_a_spreadsheet_runs_no_name(file) -> None:
    ResultsFile(file, "plates").append([row(1, "=cmd|'/c calc'!A0.png")])
    with file.open(newline="") as stream:
        [cells] = csv.DictReader(stream)
    assert cells["path"].startswith("'=")


def test_a_full_disk_leaves_whole_rows(file, monkeypatch) -> None:
    results = ResultsFile(file, "plates")
    results.append([row(1)])
    before = file.read_bytes()

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(HDMError, match="No space left"):
            results.append([row(2, "b.png")])
    assert file.read_bytes() == before
    assert not results.judged("b.png", "d1")


def test_a_table_that_a_spreadsheet_saved_goes_on(file) -> None:
    ResultsFile(file, "plates").append([row(1)])
    saved = file.read_text().replace('"', "").rstrip("\n")
    file.write_text("\ufeff" + saved)
    ResultsFile(file, "plates").append([row(2, "b.png")])
    assert [one["path"] for one in rows_of(file)] == ["a.png", "b.png"]


@pytest.mark.parametrize(("content", "said"), [
    ("my notes", "expected the columns number, time"),
    ("a;b\n1;2\n", "expected the columns number, time"),
    (",".join(COLUMNS) + "\n" + ",".join(["x"] * len(COLUMNS)) + "\n", "holds results of x")])
def test_another_table_is_refused_and_left_as_it_is(file, content, said) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError, match=said):
        ResultsFile(file, "plates")
    assert file.read_text() == content


def test_pictures_of_rows_that_were_never_written_are_swept(tmp_path) -> None:
    for name in ("00001_a.png", "00002_b.png", "00013_c.png", "mine.png"):
        (tmp_path / name).touch()
    sweep(tmp_path, 2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["00001_a.png", "mine.png"]
