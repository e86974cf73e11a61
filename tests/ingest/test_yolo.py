"""YOLO sets: boxes and outlines in shares of the image, and what is refused."""

import shutil

import pytest
from annotation_files import images, kinds, noted, question, records, save, square

from hdm.ingest.outlines import drawn
from hdm.ingest.readers import detect, read_source

NAMES = "names: [dent, scratch, good]\n"
OUTLINE = " ".join(f"{v}" for v in (4 / 32, 4 / 24, 10 / 32, 4 / 24, 10 / 32, 9 / 24, 4 / 32,
                                    9 / 24))


def yolo(root, labels, settings=NAMES, folder="images/{}.png", text="labels/{}.txt"):
    """`labels`: name of an image -> its lines; None: no file."""
    images(root, *(folder.format(name) for name in labels))
    for name, lines in labels.items():
        if lines is not None:
            save(root / text.format(name), lines)
    if settings:
        save(root / "data.yaml", settings)
    return root


@pytest.mark.parametrize("names", ["[dent, scratch]", "{0: dent, 1: scratch}",
                                   "\n  0: dent\n  1: scratch"])
@pytest.mark.parametrize(("folder", "text"), [
    ("images/{}.png", "labels/{}.txt"), ("images/a/{}.png", "labels/a/{}.txt"),
    ("a/images/{}.png", "a/labels/{}.txt"), ("{}.png", "{}.txt"), ("{}.png", "labels/{}.txt")])
def test_places(tmp_path, names, folder, text):
    yolo(tmp_path, {"a": "1 0.5 0.5 0.2 0.1\n", "b": "", "c": None, "d": f"0 {OUTLINE}"},
         f"names: {names}\n", folder, text)
    assert detect(tmp_path)[0] == "yolo"
    found = read_source(tmp_path)
    assert {r.path: r.defect_type for r in found.records} == {
        folder.format("a"): "scratch", folder.format("b"): "good", folder.format("c"): "good",
        folder.format("d"): "dent"}
    assert set(found.documents) == {"data.yaml", *(text.format(name) for name in "abd")}
    assert "2 images without an annotation are taken as good" in " ".join(found.notes)


def test_names_in_a_text_file(tmp_path):
    yolo(tmp_path, {"a": "1 0.5 0.5 0.2 0.1\n", "b": ""}, "")
    save(tmp_path / "classes.txt", "dent\nscratch\n")
    assert kinds(tmp_path) == {"images/a.png": "scratch", "images/b.png": "good"}


def test_outlines_are_exact_and_boxes_are_none(tmp_path):
    yolo(tmp_path, {"a": f"0 {OUTLINE}", "b": "0 .5 .5 .1 .1", "c": f"0 {OUTLINE}\n0 .5 .5 .1 .1",
                    "d": ""})
    found = {r.path: r.regions for r in records(tmp_path)}
    assert (drawn(found["images/a.png"], 24, 32) == square()).all()
    assert found["images/b.png"] == found["images/c.png"] == ()
    assert "2 defect images are marked by boxes" in noted(tmp_path)


@pytest.mark.parametrize("style", [
    "train: images/train\nval: images/val\ntest: images/test\n",
    "path: /elsewhere/x\ntrain: ../images/train\nval: ../images/val\ntest: ../images/test\n",
    "train: [images/train]\nval: [images/val]\ntest: images\\test\n",
    "train: lists/a.txt\nval: lists/b.txt\ntest: lists/c.txt\n", ""])
def test_splits(tmp_path, style):
    for split in ("train", "val", "test"):
        yolo(tmp_path, {"a": "", "b": "0 .5 .5 .1 .1"}, NAMES + style,
             f"images/{split}/{{}}.png", f"labels/{split}/{{}}.txt")
    if "lists" in style:
        for name, split in zip("abc", ("train", "val", "test"), strict=True):
            save(tmp_path / f"lists/{name}.txt",
                 f"./images/{split}/a.png\n./images/{split}/b.png\n")
    assert [(r.path, r.split) for r in records(tmp_path)] == [
        ("images/test/a.png", "test"), ("images/test/b.png", "test"),
        ("images/train/a.png", "train"), ("images/train/b.png", "holdout"),
        ("images/val/a.png", None), ("images/val/b.png", None)]


def test_an_export_without_a_test(tmp_path):
    yolo(tmp_path, {"a": "", "b": "0 .5 .5 .1 .1"},
         NAMES + "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n",
         "train/images/{}.png", "train/labels/{}.txt")
    assert {r.split for r in records(tmp_path)} == {None}


@pytest.mark.parametrize("line", [
    "0 .5 .5 .1", "0 .5 .5 .1 .1 .9", "dent .5 .5 .1 .1", "-1 .5 .5 .1 .1", "0", "0 a b c d",
    "0 300 200 40 40", "0 nan .5 .1 .1", "7 .5 .5 .1 .1", "0.5 .5 .5 .1 .1"])
def test_lines_that_are_no_annotation(tmp_path, line):
    yolo(tmp_path, {"a": "", "b": f"0 .5 .5 .1 .1\n{line}\n"})
    assert "labels/b.txt line 2" in question(tmp_path)


@pytest.mark.parametrize("file", ["labels/gone.txt", "labels/sub/a.txt", "part/labels/x.txt"])
def test_annotations_without_their_image(tmp_path, file):
    yolo(tmp_path, {"a": "", "b": "0 .5 .5 .1 .1"})
    save(tmp_path / file, "0 .5 .5 .1 .1")
    assert f"belong to no image ({file})" in question(tmp_path)


def test_a_class_good_makes_other_images_a_question(tmp_path):
    yolo(tmp_path, {"a": "2 .5 .5 1 1", "b": "0 .5 .5 .1 .1", "c": ""})
    assert "1 images are annotated as good" in question(tmp_path)
    yolo(tmp_path, {"c": "2 .5 .5 1 1\n1 .5 .5 .1 .1"})
    assert kinds(tmp_path)["images/c.png"] == "scratch"


@pytest.mark.parametrize(("settings", "message"), [
    ("names: []\n", "expected the names"), (NAMES + "kpt_shape: [4, 2]\n", "key points"),
    ("names: 3\n", "expected the names")])
def test_settings_that_cannot_be_used(tmp_path, settings, message):
    yolo(tmp_path, {"a": "", "b": "0 .5 .5 .1 .1"}, settings)
    assert message in question(tmp_path)


@pytest.mark.parametrize("lost", ["labels", "labels/a"])
def test_labels_left_behind_are_asked_about(tmp_path, lost):
    """Whole folders without a text file may be good parts, or lack their labels."""
    yolo(tmp_path, {"a/0": "", "a/1": "0 .5 .5 .2 .2", "b/2": "", "b/3": ""})
    shutil.rmtree(tmp_path / lost)
    assert "has a text file of annotations: are they good" in question(tmp_path, format="yolo")
