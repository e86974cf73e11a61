"""`hdm predict`: verdicts for good files, sentences for bad ones."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hdm.commands import prediction_table
from hdm.dataset import images as decoder
from hdm.detector.decidability import Doubt


@dataclass
class Verdict:
    score: float
    p_value: float
    probability: float
    decision: str
    threshold: float
    anomaly_map: np.ndarray
    reasons: tuple[Doubt, ...] = ()


class Detector:
    """Brightness is anomaly."""

    batches: list[int]

    def __init__(self) -> None:
        self.batches = []

    def predict(self, images: list[np.ndarray], batch_size: int = 16) -> list[Verdict]:
        self.batches.append(len(images))
        means = [float(image.mean()) / 255 for image in images]
        return [Verdict(mean, 1 - mean, mean, "defect" if mean > 0.5 else "good", 0.5,
                        np.full(image.shape[:2], mean, np.float32))
                for image, mean in zip(images, means, strict=True)]


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
    monkeypatch.setattr(decoder, "pages", lambda path: 3 if "black" in str(path) else 1)
    monkeypatch.setattr(prediction_table, "read_image", lambda path: read(str(path).split("#")[0]))
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
])
def test_what_cannot_be_done_is_one_sentence(
        hdm, project, images, detector, arguments, part) -> None:
    (project / "empty").mkdir()
    (project / "other").mkdir()
    (project / "other" / "a.heic").write_bytes(b"x")
    found = hdm("predict", *arguments)
    assert found.code in (2, 3)
    assert part in found.err
    assert "Traceback" not in found.err


def test_registered_models_are_found_by_alias_or_version(
        hdm, project, images, detector, monkeypatch) -> None:
    from hdm.registry import fetch

    asked = []
    monkeypatch.setattr(fetch, "fetch", lambda line, uri: asked.append((line.name, uri)) or
                        fetch.Fetched("5", project / "data/plates/ddm_train/detector"))
    assert hdm("predict", "plates", "shots", "--model", "models:/hdm-plates@champion").code == 0
    assert hdm("predict", "plates", "shots", "--model", "models:/hdm-plates/2").code == 0
    assert asked == [("plates", "models:/hdm-plates@champion"), ("plates", "models:/hdm-plates/2")]


def test_batches_are_bounded_and_rows_keep_the_order(tmp_path: Path) -> None:
    files = []
    for n in range(20):
        files.append(tmp_path / f"{n:02d}.png")
        Image.new("L", (2, 2), n * 12).save(files[-1])
    files[3].write_bytes(b"")
    detector, seen = Detector(), []
    rows = prediction_table.predict_files(detector, files, tmp_path / "out",
                                    lambda done, total: seen.append((done, total)))
    assert detector.batches == [15, 4]
    assert seen == [(16, 20), (20, 20)]
    assert [Path(row.path).name for row in rows] == [file.name for file in files]
    assert rows[3].error and not rows[3].heatmap


def test_long_and_undecodable_names(tmp_path: Path) -> None:
    long = tmp_path / ("名" * 80 + ".png")
    Image.new("L", (2, 2)).save(long)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png"))
    Image.new("L", (2, 2)).save(odd)
    rows = prediction_table.predict_files(Detector(), [long, odd], tmp_path / "out",
                                          lambda *_: None)
    prediction_table.write_tables(rows, tmp_path / "out")
    assert [row.decision for row in rows] == ["good", "good"]
    assert "a\\xff.png" in (tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8")


def test_heat_map_scale_is_fixed(tmp_path: Path) -> None:
    for value in (0.0, 0.5, 1.0, 7.0):
        prediction_table.save_heatmap(np.full((2, 3), value, np.float32), tmp_path / f"{value}.png")
    pixel = {value: Image.open(tmp_path / f"{value}.png").getpixel((0, 0))
             for value in (0.0, 0.5, 1.0, 7.0)}
    assert sum(pixel[0.0]) < sum(pixel[0.5]) < sum(pixel[1.0])
    assert pixel[7.0] == pixel[1.0]


@pytest.mark.parametrize("codes", [("too_dark",), ("too_dark", "clipped"), ("foreign",)])
def test_why_a_picture_is_undecidable_is_printed_and_written(hdm, project, images, detector,
                                                             monkeypatch, codes) -> None:
    doubts = tuple(Doubt(code, f"The picture is {code}.") for code in codes)
    monkeypatch.setattr(Detector, "predict", lambda self, pictures, batch_size: [
        Verdict(0.1, 0.5, 0.5, "undecidable", 0.5, np.zeros(picture.shape[:2], np.float32), doubts)
        for picture in pictures])
    done = hdm("predict", "plates", "shots/black.png")
    assert done.code == 0, done.err
    told = " ".join(doubt.sentence for doubt in doubts)
    assert f"undecidable: shots/black.png: {told}" in done.out.replace("\n", "")
    written = json.loads((project / "data" / "plates" / "predictions" / "predictions.json")
                         .read_text())
    assert written[0]["reasons"] == told and written[0]["decision"] == "undecidable"
