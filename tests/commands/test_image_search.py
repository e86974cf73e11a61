"""Every file of a folder is judged or told; what is named is tried."""

import os
from pathlib import Path

import pytest
from PIL import Image

from hdm.commands.image_search import NOT_REGULAR, search
from hdm.dataset import images, outside
from hdm.dataset.file_walk import HIDDEN, NO_SUFFIX
from hdm.errors import DataError


@pytest.fixture(autouse=True)
def stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files named stack.tif or alike hold four pages."""
    monkeypatch.setattr(outside, "pages", lambda path: 4 if "stack.tif" in str(path).lower()
                        and "#" not in str(path) else 1, raising=False)
    monkeypatch.setattr(images, "split_page", lambda path: (str(path).partition("#")[0], None),
                        raising=False)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    for name in ("b.png", "a.TIF", "deep/c.jpeg", "notes.txt", "x.heic", "README", ".DS_Store",
                 "@eaDir/b.png", "._b.png", "photo"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"text")
    for name in ("photo", "._b.png"):
        Image.new("L", (6, 4)).save(tmp_path / name, format="PNG")
    return tmp_path


def test_every_file_is_judged_or_left_with_a_reason(shots: Path) -> None:
    found = search([shots])
    assert [str(file.relative_to(shots)) for file in found.files] == ["a.TIF", "b.png",
                                                                      "deep/c.jpeg"]
    assert {reason: [Path(name).name for name in left] for reason, left in found.left.items()} == {
        HIDDEN: [".DS_Store", "._b.png", "b.png"], NO_SUFFIX: ["README", "photo"],
        "*.txt": ["notes.txt"], "*.heic": ["x.heic"]}
    assert found.missed == [str(shots / "photo")]
    files = [file for file in shots.rglob("*") if file.is_file()]
    assert len(found.files) + sum(map(len, found.left.values())) == len(files)


@pytest.mark.parametrize("name", ["notes.txt", "x.heic", "photo", "README", ".DS_Store"])
def test_what_is_named_is_tried(shots: Path, name: str) -> None:
    found = search([shots / name])
    assert list(found.files) == [shots / name] and not found.left and not found.missed


def test_files_are_found_once_and_in_a_fixed_order(shots: Path) -> None:
    found = search([shots / "deep", shots / "b.png", shots, shots / "b.png"])
    assert [file.name for file in found.files] == ["c.jpeg", "b.png", "a.TIF"]
    assert list(search([shots]).files) == list(search([shots]).files)


def test_a_folder_below_a_hidden_one_is_searched_when_it_is_named(shots: Path) -> None:
    (shots / ".cache").mkdir()
    (shots / ".cache" / "a.png").write_bytes(b"x")
    assert list(search([shots / ".cache"]).files) == [shots / ".cache" / "a.png"]
    assert shots / ".cache" / "a.png" not in search([shots]).files


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".TIFF"])
def test_each_page_of_a_stack_is_listed(tmp_path: Path, suffix: str) -> None:
    stack = tmp_path / f"stack{suffix}"
    stack.touch()
    (tmp_path / "z.tif").touch()
    pages = [Path(f"{stack}#{page}") for page in range(1, 5)]
    assert list(search([tmp_path]).files) == [*pages, tmp_path / "z.tif"]
    assert list(search([stack]).files) == pages
    assert list(search([pages[2]]).files) == [pages[2]]


def test_a_pipe_is_not_waited_for_and_a_broken_link_is_told_when_it_is_read(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    found = search([tmp_path])
    assert list(found.files) == [tmp_path / "gone.png"]
    assert found.left == {NOT_REGULAR: [str(tmp_path / "pipe"), str(tmp_path / "pipe.png")]}


@pytest.mark.parametrize("names", [[], ["empty"], ["empty", "other"]])
def test_where_there_is_no_image_the_reasons_are_told(tmp_path: Path, names: list[str]) -> None:
    for name in ("empty", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "a.heic").touch()
    with pytest.raises(DataError, match="no images in") as told:
        search([tmp_path / name for name in names])
    assert ("*.heic" in str(told.value)) == ("other" in names)
    with pytest.raises(DataError, match="does not exist"):
        search([tmp_path / "nowhere.png"])
