"""Paths of documents, written on other machines, found below a folder or refused."""

import pytest

from hdm.errors import DataError
from hdm.ingest.readers.locating import locate

NAMES = ["good/a.png", "good/b.png", "dent/a.png"]


@pytest.fixture
def root(tmp_path):
    return touch(tmp_path / "set", *NAMES)


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize("written", [
    "{}", "./{}", "good/../{}", "C:\\data\\{}", "c:/x/y/{}", "s3://bucket/line 3/{}",
    "\\\\server\\share\\{}", "/home/other/set/{}", "/{}", "https://host/x/{}?v=1",
    "file:///D:/x/{}", "old/{}"])
def test_ways_to_write_a_path(root, written):
    names = [written.format(name) for name in NAMES]
    if "\\" in written:
        names = [name.replace("/", "\\") for name in names]
    found = locate(root, names, "t.csv")
    assert found.paths == NAMES
    assert bool(found.notes) == (written[0] not in "{.g")
    assert all("found by the end of their paths" in note for note in found.notes)


@pytest.mark.parametrize("written", ["{root}/{name}", "file://{root}/{name}",
                                     "{root}/good/../{name}"])
def test_absolute_paths_inside(root, written):
    found = locate(root, [written.format(root=root, name=name) for name in NAMES], "t.csv")
    assert found == (NAMES, [])


@pytest.mark.parametrize(("disk", "written"), [
    ("good/A.PNG", "good/A.png"), ("Good/b.png", "good/b.png"), ("good/c d.png", "good/c%20d.png"),
    ("good/fru\u0308h.png", "good/fr\u00fch.png"), ("good/e%20f.png", "good/e%20f.png")])
def test_case_and_quoting(tmp_path, disk, written):
    touch(tmp_path, disk)
    assert locate(tmp_path, [written], "t.csv").paths == [disk]


def test_case_that_leaves_a_choice_is_refused(tmp_path):
    touch(tmp_path, "A.png", "a.PNG")
    assert locate(tmp_path, ["A.png"], "t.csv").paths == ["A.png"]
    with pytest.raises(DataError, match=r"1 of 1 files cannot be used: a\.png"):
        locate(tmp_path, ["a.png"], "t.csv")


def test_files_outside_are_refused(root):
    touch(root.parent, "far.png")
    for name in (f"{root.parent}/far.png", "../far.png", "good/../../far.png",
                 f"file://{root.parent}/far.png"):
        with pytest.raises(DataError, match="outside"):
            locate(root, [name], "t.csv")


@pytest.mark.parametrize("written", ["C:\\d\\{}", "{}", "s3://b/{}"])
def test_what_is_missing_is_listed(root, written):
    names = [written.format(name) for name in [*NAMES, *(f"good/x{i}.png" for i in range(7))]]
    with pytest.raises(DataError, match=r"7 of 10 files cannot be used: .*x0.*"
                                        r"x4\.png \(no such file\) and 2 more"):
        locate(root, names, "t.csv")


def test_a_missing_file_is_never_taken_from_another_folder(root):
    touch(root, "backup/good/a.png")
    (root / "good/a.png").unlink()
    with pytest.raises(DataError, match=r"1 of 3 files cannot be used: good/a\.png"):
        locate(root, NAMES, "t.csv")


@pytest.mark.parametrize("written", ["C:\\d\\{}", "x/{}", "s3://b/{}"])
def test_two_folders_that_fit_are_refused(root, written):
    touch(root, *(f"backup/{name}" for name in NAMES))
    with pytest.raises(DataError, match="could be "):
        locate(root, [written.format(name) for name in NAMES], "t.csv")


def test_the_longest_ending_counts(root):
    touch(root, "line/1/good/a.png", "line/2/good/a.png")
    assert locate(root, ["D:\\x\\line\\2\\good\\a.png"], "t.csv").paths == ["line/2/good/a.png"]


def test_the_first_folder_that_holds_all_counts(root):
    assert locate(root, ["a.png", "b.png"], "t.json", folders=("dent", "good")).paths == \
        ["good/a.png", "good/b.png"]


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0.png", "", "/", "C:"])
def test_names_that_are_none(root, name):
    with pytest.raises(DataError, match=r"no such file|expected a file inside"):
        locate(root, [name], "t.csv")
