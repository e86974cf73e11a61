"""Nothing is half-written: not on errors, not on a full disk, not after a kill."""

import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from hdm.errors import HDMError
from hdm.files import (
    append_text,
    atomic_file,
    atomic_folder,
    below,
    read_json,
    write_json,
    write_text,
)

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_file_appears_whole_and_only_at_the_end(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with atomic_file(target) as temporary:
        temporary.write_text("one")
        assert not target.exists() and temporary.parent == target.parent
    assert target.read_text() == "one" and names(target.parent) == ["a.txt"]


def test_threads_of_a_process_may_write_the_same_file(tmp_path):
    target, both = tmp_path / "out", Barrier(2)

    def write(text):
        with atomic_file(target) as temporary:
            temporary.write_text(text)
            both.wait(30)
        return text

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(write, ("one", "two"))) == ["one", "two"]
    assert target.read_text() in ("one", "two")
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(143)])
def test_file_is_as_before_when_the_block_fails(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(type(error)), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old" and names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(143)])
def test_folder_is_as_before_when_the_block_fails(tmp_path, error):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(type(error)), atomic_folder(target) as temporary:
        (temporary / "half").write_text("half")
        raise error
    assert names(tmp_path) == ["out"] and names(target) == ["old"]


def test_folder_is_replaced_not_merged(tmp_path):
    target = tmp_path / "deep" / "out"
    for number in (1, 2):
        with atomic_folder(target) as temporary:
            assert names(temporary) == []
            (temporary / f"file{number}").write_text("x")
    assert names(target) == ["file2"] and names(target.parent) == ["out"]


def test_full_disk_is_one_sentence_and_nothing_changes(tmp_path):
    file, folder = tmp_path / "a.txt", tmp_path / "out"
    write_text(file, "old")
    with atomic_folder(folder) as temporary:
        (temporary / "old").write_text("old")
    for context, target in ((atomic_file, file), (atomic_folder, folder)):
        with pytest.raises(HDMError, match=r"cannot write .*No space left.*Free disk space") as e, \
                context(target):
            raise FULL
        assert "\n" not in str(e.value) and str(target) in str(e.value)
    assert file.read_text() == "old" and names(folder) == ["old"]
    assert names(tmp_path) == ["a.txt", "out"]


def test_full_disk_while_writing_json(tmp_path, monkeypatch):
    target = tmp_path / "a.json"
    write_json(target, {"a": 1})

    def full(self, *_args, **_kwargs):
        raise FULL

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(HDMError, match="nothing was changed"):
        write_json(target, {"a": 2})
    monkeypatch.undo()
    assert read_json(target) == {"a": 1} and names(tmp_path) == ["a.json"]


def test_real_weights_on_a_full_disk_are_one_sentence(tmp_path, monkeypatch):
    """safetensors' own writer wraps a full disk in an error that is no OSError."""
    import tiny

    prior = tiny.prior()
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(FULL))
    with pytest.raises(HDMError, match="No space left"):
        prior.save(tmp_path)
    assert names(tmp_path) == []


def test_folder_that_cannot_be_put_in_place_comes_back(tmp_path, monkeypatch):
    """The old output is moved aside first; if the new one cannot follow, it returns."""
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("old")
    rename = Path.rename

    def fails_for_new(self, other):
        if self.suffix == ".tmp":
            raise FULL
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", fails_for_new)
    with pytest.raises(HDMError, match="No space left"), atomic_folder(target) as temporary:
        (temporary / "new").write_text("new")
    assert names(target) == ["old"] and names(tmp_path) == ["out"]


def test_left_overs_of_a_killed_process_are_removed(tmp_path):
    target = tmp_path / "out"
    for name in (".out.1.tmp", ".out.2.old", ".outside.1.tmp", ".out.note"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("x")
    target.mkdir()
    with atomic_folder(target) as temporary:
        (temporary / "new").write_text("new")
    assert names(tmp_path) == [".out.note", ".outside.1.tmp", "out"] and names(target) == ["new"]


def test_killed_between_the_two_renames_loses_nothing(tmp_path):
    """Only the set-aside output is left; the next run finds it again even if that run fails."""
    target = tmp_path / "out"
    (tmp_path / ".out.77.old").mkdir()
    (tmp_path / ".out.77.old" / "old").write_text("old")
    with pytest.raises(ValueError, match="x"), atomic_folder(target):
        raise ValueError("x")
    assert names(tmp_path) == ["out"] and names(target) == ["old"]


@pytest.mark.parametrize("context", [atomic_file, atomic_folder])
def test_read_only_place_is_one_sentence(tmp_path, monkeypatch, context):
    def refuse(self, *_args, **_kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(HDMError, match=r"cannot write .*Permission denied.*make the folder writ"), \
            context(tmp_path / "a" / "b"):
        pytest.fail("the block must not be entered")


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(HDMError, match="cannot write"), atomic_folder(tmp_path / "a" / "out"):
        pass
    with pytest.raises(HDMError, match="cannot write"):
        write_text(tmp_path / "a" / "file", "x")
    assert (tmp_path / "a").read_text() == "x"


def test_json_is_sorted_indented_utf8_and_strict(tmp_path):
    file = tmp_path / "a.json"
    write_json(file, {"b": [1, 2.5, None], "a": "µ"})
    assert file.read_text(encoding="utf-8") == (
        '{\n  "a": "µ",\n  "b": [\n    1,\n    2.5,\n    null\n  ]\n}\n')
    assert read_json(file) == {"b": [1, 2.5, None], "a": "µ"}
    with pytest.raises(ValueError, match="JSON"):
        write_json(file, {"a": float("nan")})
    assert read_json(file)["a"] == "µ", "what was there is still there"


@pytest.mark.parametrize(("content", "expected"), [
    (None, "does not exist; run the stage"), (b"{", "is not valid JSON"), (b"", "not valid JSON"),
    (b"\xff\xfe{}", "not valid JSON"), ("folder", "cannot read")])
def test_unreadable_json_is_one_sentence(tmp_path, content, expected):
    file = tmp_path / "a.json"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(HDMError, match=expected) as error:
        read_json(file)
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_non_ascii_and_long_names(tmp_path):
    for name in ("größe µ.json", "長い名前.json", "x" * 200 + ".json"):
        write_json(tmp_path / name, [name])
        assert read_json(tmp_path / name) == [name]
    assert len(names(tmp_path)) == 3
    with atomic_folder(tmp_path / "Ausgänge") as temporary:
        shutil.copy(tmp_path / "größe µ.json", temporary)
    assert json.loads((tmp_path / "Ausgänge" / "größe µ.json").read_text()) == ["größe µ.json"]


def test_temporary_file_of_a_killed_process_is_swept(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / f".a[1].json.{gone.pid}.tmp"
    living = tmp_path / f".a[1].json.{os.getppid()}.tmp"
    other = tmp_path / f".b.json.{gone.pid}.tmp"
    for file in (dead, living, other):
        file.write_text("half")
    write_json(tmp_path / "a[1].json", {})
    assert not dead.exists() and living.exists() and other.exists()


def test_appended_lines_follow_one_another_even_after_a_crash(tmp_path):
    file = tmp_path / "new" / "log.txt"
    append_text(file, "one\n")
    append_text(file, "zwölf\n")
    assert file.read_text(encoding="utf-8") == "one\nzwölf\n"
    file.write_text("one\ncut o")
    append_text(file, "two\n")
    assert file.read_text() == "one\ncut o\ntwo\n"
    with pytest.raises(HDMError, match="cannot write"):
        append_text(tmp_path, "x")


def test_what_stands_below_a_prefix_keeps_the_rest_of_its_name():
    assert below({"a.b": 1, "a.c.d": 2, "b.a.": 3, "a": 4}, "a.") == {"b": 1, "c.d": 2}
    assert below({"a": 1}, "z.") == {}
