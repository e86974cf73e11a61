"""What a loss of power may not take: everything up to the name is on the disk before we go on."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hdm.files import append_text, atomic_file, atomic_folder, sync_tree, write_json


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file and folder that was waited for, in order."""
    found: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda number: found.append(
        Path(f"/proc/self/fd/{number}").readlink()))
    return found


def by_file(target: Path) -> None:
    with atomic_file(target) as temporary:
        temporary.write_text("x")


def by_folder(target: Path) -> None:
    with atomic_folder(target) as temporary:
        (temporary / "in").mkdir()
        (temporary / "in" / "side").write_text("x")


def by_line(target: Path) -> None:
    append_text(target, "x\n")


@pytest.mark.parametrize("write", [by_file, by_folder, by_line, lambda file: write_json(file, 1)])
def test_new_folders_are_kept_with_what_is_in_them(
        tmp_path: Path, synced: list[Path], write: Callable[[Path], None]) -> None:
    write(tmp_path / "new" / "deep" / "target")
    assert {tmp_path, tmp_path / "new", tmp_path / "new" / "deep"} <= set(synced)


def test_a_line_added_to_a_file_that_is_there_waits_for_the_file_alone(
        tmp_path: Path, synced: list[Path]) -> None:
    by_line(tmp_path / "log")
    synced.clear()
    by_line(tmp_path / "log")
    assert synced == [tmp_path / "log"]


def test_a_tree_is_waited_for_to_its_last_file(tmp_path: Path, synced: list[Path]) -> None:
    by_folder(tmp_path / "model")
    synced.clear()
    sync_tree(tmp_path / "model")
    assert set(synced) == {tmp_path / "model", tmp_path / "model" / "in",
                           tmp_path / "model" / "in" / "side"}
