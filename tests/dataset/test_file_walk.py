"""Folders are searched to the bottom, and what is not read has a reason."""

import os
from pathlib import Path, PurePath

import pytest

from hdm.dataset.file_walk import HIDDEN, NO_SUFFIX, left_aside, told, walk
from hdm.dataset.images import SUFFIXES
from hdm.errors import DataError


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in walk(root)]


def test_all_files_are_found_hidden_ones_too(tmp_path: Path) -> None:
    put(tmp_path, "b.png", "a.txt", "deep/er/c.png", ".git/x", "@eaDir/b.png/THUMB.jpg", "._b.png")
    assert sorted(names(tmp_path)) == sorted([
        "b.png", "a.txt", "deep/er/c.png", ".git/x", "@eaDir/b.png/THUMB.jpg", "._b.png"])
    assert names(tmp_path) == names(tmp_path)
    assert names(tmp_path / "nowhere") == names(tmp_path / "a.txt") == []


def by_reason(paths):
    """Paths that are left aside, by their reason."""
    found = {}
    for path in paths:
        if reason := left_aside(path):
            found.setdefault(reason, []).append(path.as_posix())
    return found


@pytest.mark.parametrize("link", [".", "..", "deep", "deep/up"])
def test_links_do_not_lead_in_a_circle(tmp_path: Path, link: str) -> None:
    put(tmp_path, "root/a.png", "root/deep/b.png")
    (tmp_path / "root/deep/up").symlink_to(tmp_path / "root", target_is_directory=True)
    (tmp_path / "root/again").symlink_to(tmp_path / "root" / link, target_is_directory=True)
    found = [path for path in walk(tmp_path / "root") if not path.is_dir()]
    assert [path.name for path in found] == ["a.png", "b.png"]
    assert any(path.is_symlink() for path in walk(tmp_path / "root"))  # told, not followed


def test_a_link_to_a_folder_elsewhere_is_followed_and_a_broken_one_is_a_file(tmp_path) -> None:
    put(tmp_path, "shelf/a.png", "root/b.png")
    (tmp_path / "root/shelf").symlink_to(tmp_path / "shelf", target_is_directory=True)
    (tmp_path / "root/gone.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "root/self.png").symlink_to(tmp_path / "root/self.png")
    assert sorted(names(tmp_path / "root")) == ["b.png", "gone.png", "self.png", "shelf/a.png"]


@pytest.mark.parametrize(("name", "refused"), [
    ("good", True), ("deep/er", True), ("lost+found", False), (".Trash-1000", False),
    ("@eaDir", False)])
def test_a_folder_that_cannot_be_opened_is_told(tmp_path, monkeypatch, name, refused) -> None:
    put(tmp_path, "a.png", f"{name}/b.png")
    scandir = os.scandir

    def scan(path):
        if str(path) == str(tmp_path / name):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    if refused:
        with pytest.raises(DataError, match=r"cannot search the folder .*Permission denied"):
            names(tmp_path)
    else:
        assert names(tmp_path) == ["a.png", name]


@pytest.mark.parametrize("path", [
    ".DS_Store", "._a.png", ".thumb", ".hidden/a.png", "@eaDir/a.png/THUMB_M.jpg", "Thumbs.db",
    "good/desktop.ini", "THUMBS.DB", "__MACOSX/a.png", "#recycle/a.png", "$RECYCLE.BIN/a.png"])
def test_what_is_hidden_or_of_the_system(path: str) -> None:
    assert left_aside(PurePath(path)) == HIDDEN


@pytest.mark.parametrize(("path", "reason"), [
    ("a.heic", "*.heic"), ("deep/a.HEIC", "*.heic"), ("notes.txt", "*.txt"),
    ("a.png.part", "*.part"), ("README", NO_SUFFIX), ("frame.0001", NO_SUFFIX),
    ("2024-01-01 12.30 Uhr", NO_SUFFIX), ("a.png~", NO_SUFFIX), ("a.", NO_SUFFIX)])
def test_what_is_no_image_by_its_name(path: str, reason: str) -> None:
    assert left_aside(PurePath(path)) == reason


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_images_are_read(suffix: str) -> None:
    for name in (f"a{suffix}", f"deep/A{suffix.upper()}", f"a b.c{suffix}", f"../a{suffix}"):
        assert left_aside(PurePath(name)) is None


def test_reasons_are_counted_and_the_first_five_files_named() -> None:
    paths = [PurePath(name) for name in
             ("a.png", *(f"{n}.heic" for n in range(7)), "notes.txt", ".DS_Store", "._a.png")]
    assert told(by_reason(paths)) == [
        "7 files *.heic are not read: 0.heic, 1.heic, 2.heic, 3.heic, 4.heic and 2 more.",
        "1 file *.txt is not read: notes.txt.",
        "2 files hidden or of the system are not read: .DS_Store, ._a.png."]
    assert told({}) == []


def test_names_that_are_not_utf_8_can_be_told() -> None:
    assert told(by_reason([PurePath(os.fsdecode(b"a\xff.heic"))])) == [
        r"1 file *.heic is not read: a\udcff.heic."]
