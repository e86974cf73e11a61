"""`hdm predict`: verdicts for good files, sentences for bad ones."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bright_detector import Detector
from PIL import Image
from recorded_stages import record_outputs
from small_split import FakePrediction

from hdm.dataset import images as decoder
from hdm.dataset import outside
from hdm.detector.decidability import Doubt


@pytest.fixture
def images(project: Path) -> Path:
    folder = project / "shots"
    (folder / "deep").mkdir(parents=True)
    Image.new("L", (6, 4), 0).save(folder / "black.png")
    Image.new("RGB", (5, 3), "white").save(folder / "deep" / "weiß [b].BMP")
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def detector(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A detector folder for the line, and a stand-in for hdm.HDM; returns how it was loaded."""
    import hdm

    loaded: dict[str, Any] = {}

    class HDM:
        @staticmethod
        def load(folder: Path, device: str, precision: str, threads: int,
                 operating_point: Path | None) -> Detector:
            loaded.update(folder=folder, threads=threads, operating_point=operating_point)
            return Detector()

    monkeypatch.setattr(hdm, "HDM", HDM, raising=False)
    folder = project / "data" / "plates" / "ddm_train" / "detector"
    folder.mkdir(parents=True)
    (folder / "detector.json").write_text("{}")
    record_outputs(project, "plates")
    return loaded


def test_a_folder_is_searched_and_everything_is_written(hdm, project, images, detector) -> None:
    found = hdm("predict", "plates", "shots")
    assert found.code == 0, found.err
    assert detector["folder"] == project / "data/plates/ddm_train/detector"
    assert detector["threads"] == 2
    assert "weiß [b].BMP" in found.out
    folder = project / "data" / "plates" / "predictions"
    rows = json.loads((folder / "predictions.json").read_text())
    assert [(Path(r["path"]).name, r["decision"]) for r in rows] == [
        ("black.png", "good"), ("weiß [b].BMP", "defect")]
    with (folder / "predictions.csv").open(newline="") as stream:
        assert [row["decision"] for row in csv.DictReader(stream)] == ["good", "defect"]
    picture = Image.open(folder / rows[1]["heatmap"])
    assert picture.size == (5, 3)
    black = Image.open(folder / rows[0]["heatmap"]).getpixel((0, 0))
    assert sum(black) < 30 < sum(picture.getpixel((0, 0)))  # one scale, not stretched to each


def test_unreadable_files_are_named_and_the_others_judged(hdm, project, images, detector) -> None:
    (images / "fake.png").write_text("hello")
    (images / "zero.png").touch()
    found = hdm("predict", "plates", "shots", "--output", "out")
    assert found.code == 1
    assert found.out.count("unreadable: ") == 2
    assert "fake.png" in found.out
    assert found.err == ("error: 2 of 4 images could not be read (listed above); the others were "
                         "judged.\n")
    rows = json.loads((project / "out" / "predictions.json").read_text())
    assert [bool(row["error"]) for row in rows] == [False, False, True, True]
    assert rows[2]["score"] is None
    assert len(list((project / "out" / "heatmaps").iterdir())) == 2


@pytest.mark.parametrize(("suffix", "content"), [
    (".heic", b"\0\0\0\x18ftypheic"), (".odd", b"\x89PNG\r\n\x1a\n"), ("", b"\xff\xd8\xff\xe0"),
    (".0001", b"II*\0")])
def test_images_under_other_names_are_told_and_make_an_exit_code(
        hdm, project, images, detector, suffix, content) -> None:
    for number in range(7):
        (images / f"part{number}{suffix}").write_bytes(content + bytes(20))
    found = hdm("predict", "plates", "shots")
    assert found.code == 1
    kind = f"*{suffix}" if suffix[1:].isalpha() else "without a known suffix"
    assert f"left aside: 7 files {kind} are not read: shots/part0{suffix}" in found.out
    assert f"shots/part4{suffix} and 2 more." in found.out
    assert found.err.startswith("error: 7 files were left aside by name, but by content "
                                "images: shots/part0")
    rows = json.loads((project / "data/plates/predictions/predictions.json").read_text())
    assert len(rows) == 2 and all(row["decision"] for row in rows)


@pytest.mark.parametrize(("name", "told"), [
    ("table.csv", "1 file *.csv is not read: shots/table.csv."),
    ("notes", "1 file without a known suffix is not read: shots/notes."),
    ("@eaDir/black.png/THUMB_M.jpg", "1 file hidden or of the system is not read: shots/@eaDir/"),
    ("._black.png", "1 file hidden or of the system is not read: shots/._black.png."),
    ("Thumbs.db", "1 file hidden or of the system is not read: shots/Thumbs.db.")])
def test_what_is_no_image_is_told_without_an_exit_code(
        hdm, project, images, detector, name, told) -> None:
    (images / name).parent.mkdir(parents=True, exist_ok=True)
    (images / name).write_bytes(b"path,label")
    found = hdm("predict", "plates", "shots")
    assert found.code == 0, found.err
    assert f"left aside: {told}" in found.out
    assert "left aside: 1 file *.txt is not read: shots/notes.txt." in found.out


def test_a_page_of_a_stack_is_an_image_of_its_own(
        hdm, project, images, detector, monkeypatch) -> None:
    read = decoder.read_image
    monkeypatch.setattr(outside, "pages", lambda path: 3 if "black" in str(path) else 1)
    monkeypatch.setattr(outside, "read_image", lambda path: read(str(path).split("#")[0]))
    assert hdm("predict", "plates", "shots").code == 0
    folder = project / "data/plates/predictions"
    rows = json.loads((folder / "predictions.json").read_text())
    assert [row["path"] for row in rows] == [
        "shots/black.png#1", "shots/black.png#2", "shots/black.png#3", "shots/deep/weiß [b].BMP"]
    assert len({row["heatmap"] for row in rows}) == 4
    assert all((folder / row["heatmap"]).is_file() for row in rows)


def test_what_is_in_the_output_folder_stays(hdm, project, images, detector) -> None:
    (project / "out").mkdir()
    (project / "out" / "mine.txt").write_text("keep")
    assert hdm("predict", "plates", "shots/black.png", "--output", "out").code == 0
    assert (project / "out" / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize(("arguments", "part"), [
    (("plates", "nowhere.png"), "nowhere.png, which does not exist"),
    (("plates", "empty"), "no images in empty"),
    (("plates", "other"), "no images in other; expected ."),
    (("plates", "other"), "1 file *.heic is not read: other/a.heic."),
    (("bolts", "shots"), "no product line 'bolts'"),
    (("meshes", "shots"), "train it with `hdm run meshes`"),
    (("plates", "shots", "--model", "elsewhere"), "expected a detector in elsewhere"),
    (("plates", "shots", "--version", "newest"), "expected a version number such as 3"),
    (("plates", "shots", "--version", "3", "--trained"), "at most one of --version, --trained"),
    (("plates", "shots", "--version", "3"), "there is no registry at"),
])
def test_what_cannot_be_done_is_one_sentence(
        hdm, project, images, detector, arguments, part) -> None:
    (project / "empty").mkdir()
    (project / "other").mkdir()
    (project / "other" / "a.heic").write_bytes(b"x")
    found = hdm("predict", *arguments)
    assert found.code in (2, 3, 6)
    assert part in found.err
    assert "Traceback" not in found.err


def test_registered_models_are_found_by_alias_or_version(
        hdm, project, images, detector, monkeypatch) -> None:
    from hdm.registry import fetch

    asked = []
    monkeypatch.setattr(fetch, "fetch", lambda line, uri, into: asked.append((line.name, uri)) or
                        fetch.Fetched("5", project / "data/plates/ddm_train/detector"))
    assert hdm("predict", "plates", "shots", "--model", "models:/hdm-plates@previous").code == 0
    assert hdm("predict", "plates", "shots", "--model", "models:/hdm-plates/2").code == 0
    assert hdm("predict", "plates", "shots", "--version", "3").code == 0
    assert asked == [("plates", "models:/hdm-plates@previous"), ("plates", "models:/hdm-plates/2"),
                     ("plates", "models:/hdm-plates/3")]
    assert detector["operating_point"] is None  # the version's own


def test_a_line_without_a_live_version_says_who_answers(
        hdm, project, images, detector, monkeypatch) -> None:
    found = hdm("predict", "plates", "shots")
    assert "2 images: 1 good, 1 defect (the detector that was trained last)" in found.out
    assert "note: plates has no live version yet: the detector that was trained last" in found.out
    monkeypatch.setenv("HDM_TRACKING", "off")
    assert "note: HDM_TRACKING is off" in hdm("predict", "plates", "shots").out
    assert "answers" not in hdm("predict", "plates", "shots", "--trained").out
    rows = json.loads((project / "data/plates/predictions/predictions.json").read_text())
    assert {row["model_version"] for row in rows} == {"trained"}


@pytest.mark.parametrize("codes", [("too_dark",), ("too_dark", "clipped"), ("foreign",)])
def test_why_a_picture_is_undecidable_is_printed_and_written(hdm, project, images, detector,
                                                             monkeypatch, codes) -> None:
    doubts = tuple(Doubt(code, f"The picture is {code}.") for code in codes)
    monkeypatch.setattr(Detector, "predict", lambda self, pictures, batch_size: [
        FakePrediction(0.1, 0.5, 0.5, "undecidable", 0.5,
                       np.zeros(picture.shape[:2], np.float32), doubts)
        for picture in pictures])
    done = hdm("predict", "plates", "shots/black.png")
    assert done.code == 0, done.err
    told = " ".join(doubt.sentence for doubt in doubts)
    assert f"undecidable: shots/black.png: {told}" in done.out.replace("\n", "")
    written = json.loads((project / "data" / "plates" / "predictions" / "predictions.json")
                         .read_text())
    assert written[0]["reasons"] == told and written[0]["decision"] == "undecidable"
