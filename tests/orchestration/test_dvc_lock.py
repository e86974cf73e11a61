"""dvc.lock that a killed DVC left half-written."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hdm.orchestration import dvc_lock

WHOLE = b"""\
schema: '2.0'
stages:
  ingest@a:
    cmd: python -m hdm stage ingest a
    outs:
    - path: data/a/ingest
      md5: 0123
"""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc_lock, "PAUSE", 0)


@pytest.mark.parametrize("half", [b"", WHOLE[:10], WHOLE[:24], WHOLE[:40], b"\x00" * 30, b"- a\n",
                                  b"schema: '2.0'\nstages: [1",
                                  WHOLE + b"  ingest@b:\n    cmd: x\n    outs: [\n",
                                  WHOLE + b"  ingest@b:\n    cmd: \0\0\n",
                                  WHOLE + b"  ingest@b:\n    deps: []\n"])
def test_half_a_file_is_replaced_by_the_last_whole_one(tmp_path: Path, half: bytes) -> None:
    file = tmp_path / "dvc.lock"
    file.write_bytes(WHOLE)
    assert dvc_lock.keep_whole(tmp_path) is False
    file.write_bytes(half)
    assert dvc_lock.keep_whole(tmp_path) is True
    assert file.read_bytes() == WHOLE
    assert (tmp_path / "dvc.lock.damaged").read_bytes() == half


@pytest.mark.parametrize("half", [b"", WHOLE[:10], WHOLE[:40], b"- a\n"])
def test_half_a_file_of_the_store_probe_is_deleted(tmp_path: Path, half: bytes) -> None:
    file = tmp_path / "data" / "dvc.lock"
    file.parent.mkdir()
    file.write_bytes(WHOLE.replace(b"ingest@a", b"store_probe"))
    dvc_lock.keep_whole(tmp_path)
    assert file.is_file()
    file.write_bytes(half)
    dvc_lock.keep_whole(tmp_path)
    assert not file.exists()


def test_the_newest_whole_one_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "dvc.lock"
    for content in (WHOLE, WHOLE.replace(b"0123", b"4567")):
        file.write_bytes(content)
        dvc_lock.keep_whole(tmp_path)
    file.write_bytes(b"")
    dvc_lock.keep_whole(tmp_path)
    assert b"4567" in file.read_bytes()


def test_without_a_copy_it_is_moved_aside_and_dvc_starts_afresh(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_bytes(b"")
    assert dvc_lock.keep_whole(tmp_path) is True
    assert not (tmp_path / "dvc.lock").exists()
    assert dvc_lock.keep_whole(tmp_path) is False


def test_a_lost_one_comes_back_from_the_copy(tmp_path: Path) -> None:
    file = tmp_path / "dvc.lock"
    file.write_bytes(WHOLE)
    dvc_lock.keep_whole(tmp_path)
    for _ in range(3):
        file.unlink()
        assert dvc_lock.keep_whole(tmp_path) is True
        assert file.read_bytes() == WHOLE
        assert dvc_lock.keep_whole(tmp_path) is False


def test_a_file_that_is_being_written_is_waited_for(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dvc.lock"
    file.write_bytes(WHOLE[:30])
    monkeypatch.setattr(dvc_lock, "time",
                        SimpleNamespace(sleep=lambda _: file.write_bytes(WHOLE)))
    assert dvc_lock.keep_whole(tmp_path) is False
    assert file.read_bytes() == WHOLE
