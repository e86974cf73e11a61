"""Which files of a watched folder are complete."""

import os
import shutil
from pathlib import Path

import pytest

from hdm.watching.dropped_files import DroppedFiles, FolderAway, Stamp


class Time:
    """A clock that stands until it is put forward."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def watched(folder: Path, time: Time, known=lambda path, stamp: False) -> DroppedFiles:
    return DroppedFiles(folder, known, settling=2.0, clock=time)


def after(files: DroppedFiles, time: Time, seconds: float) -> list[str]:
    time.now += seconds
    return list(files.look().ready)


def test_a_file_is_complete_when_it_has_not_changed_for_a_while(tmp_path, time) -> None:
    files = watched(tmp_path, time)
    assert after(files, time, 0) == []
    (tmp_path / "a.png").write_bytes(b"half")
    assert after(files, time, 1) == []
    with (tmp_path / "a.png").open("ab") as stream:
        stream.write(b" and half")
    assert after(files, time, 1.9) == []
    assert after(files, time, 1.9) == [], "it has grown since"
    assert after(files, time, 0.2) == ["a.png"]


def test_the_time_that_the_other_machine_states_is_not_believed(tmp_path, time) -> None:
    files = watched(tmp_path, time)
    files.look()
    for name, stated in (("old.png", 0), ("ahead.png", 4e9)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (stated, stated))
    assert after(files, time, 0) == []
    assert after(files, time, 2) == ["old.png", "ahead.png"]


def test_what_lay_there_before_is_complete_at_once_if_it_is_old(tmp_path, time) -> None:
    for name, age in (("old.png", 3600), ("young.png", 1)):
        (tmp_path / name).write_bytes(b"x")
        stated = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (stated, stated))
    files = watched(tmp_path, time)
    assert after(files, time, 0) == ["old.png"]
    assert after(files, time, 2) == ["old.png", "young.png"]


@pytest.mark.parametrize("name", ["a.png.part", "a.tmp", "a.png~", "sub/a.crdownload"])
def test_a_name_that_says_unfinished_waits_until_it_is_renamed(tmp_path, time, name) -> None:
    files = watched(tmp_path, time)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    assert after(files, time, 0) == after(files, time, 100) == []
    assert list(files.look().waiting) == [name]
    (tmp_path / name).rename(tmp_path / "a.png")
    assert after(files, time, 1) == []
    assert after(files, time, 2) == ["a.png"]


def test_what_is_no_picture_by_its_name_is_told_and_what_is_hidden_is_not(tmp_path, time) -> None:
    for name in ("notes.txt", ".hidden.png", "Thumbs.db", "@eaDir/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.png")
    files = watched(tmp_path, time)
    assert after(files, time, 100) == after(files, time, 100) == []
    assert files.look().left == {"*.txt": ["notes.txt"]}


def test_a_link_leads_nowhere(tmp_path, time) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a.png").write_bytes(b"x")
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "b.png").symlink_to(tmp_path / "private" / "a.png")
    (folder / "sub").symlink_to(tmp_path / "private")
    files = watched(folder, time)
    assert after(files, time, 0) == after(files, time, 100) == []
    assert sorted(files.look().stuck) == ["b.png", "sub/a.png"]


def test_pictures_come_in_the_order_in_which_they_were_written(tmp_path, time) -> None:
    for name, stated in (("b.png", 100), ("sub/c.png", 50), ("a.png", 200)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (stated, stated))
    assert after(watched(tmp_path, time), time, 0) == ["sub/c.png", "b.png", "a.png"]


def test_a_known_file_is_new_again_when_it_changes(tmp_path, time) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    done: dict[str, Stamp] = {}
    files = watched(tmp_path, time, lambda path, stamp: done.get(path) == stamp)
    files.look()
    time.now += 3
    done |= files.look().ready
    assert done and after(files, time, 10) == []
    (tmp_path / "a.png").write_bytes(b"other")
    assert after(files, time, 1) == [] and after(files, time, 2) == ["a.png"]


def test_a_folder_that_is_away_is_said_and_looked_at_again(tmp_path, time) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    files = watched(folder, time)
    files.look()
    shutil.rmtree(folder)
    with pytest.raises(FolderAway, match="share is not there"):
        files.look()
    folder.mkdir()
    (folder / "a.png").write_bytes(b"x")
    files.look()
    assert after(files, time, 2) == ["a.png"]
