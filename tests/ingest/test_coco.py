"""COCO files: what is good, what is outlined, and what is refused."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from annotation_files import SQUARE, coco, images, kinds, noted, question, records, save, square
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import pixels, write

from hdm.ingest.outlines import drawn
from hdm.ingest.readers import detect, read_source

NAMES = ["a.png", "b.png", "c.png"]
CELLS = {"size": [24, 32], "counts": [100, 6, 562, 100]}


@pytest.mark.parametrize("place", ["annotations.json", "_annotations.coco.json",
                                   "annotations/instances_default.json", "export/result.json"])
@pytest.mark.parametrize("folder", ["", "images/", "data/part 1/"])
def test_where_files_may_lie(tmp_path, place, folder):
    images(tmp_path, *(folder + name for name in NAMES))
    save(tmp_path / place, coco(NAMES, [(1, "dent", {})]))
    assert detect(tmp_path)[0] == "coco"
    found = read_source(tmp_path)
    assert {r.path: r.defect_type for r in found.records} == \
        {folder + "a.png": "good", folder + "b.png": "dent", folder + "c.png": "good"}
    assert found.documents == (place,)
    assert "2 images without an annotation are taken as good" in " ".join(found.notes)


def test_the_file_itself_is_a_source(tmp_path):
    images(tmp_path, *NAMES)
    file = save(tmp_path / "any name.json", coco(NAMES, [(0, "dent", {})]))
    assert kinds(file) == {"a.png": "dent", "b.png": "good", "c.png": "good"}


@pytest.mark.parametrize(("segmentation", "expected"), [
    ([SQUARE], square()), ([SQUARE, [0, 0, 2, 0, 2, 2, 0, 2]], None), (SQUARE, square()),
    (CELLS, None), ({"size": [24, 32], "counts": "PVe3"}, None)])
def test_outlines(tmp_path, segmentation, expected):
    images(tmp_path, *NAMES)
    if segmentation == {"size": [24, 32], "counts": "PVe3"}:
        segmentation["counts"] = "0Ph0"  # none unmarked, 768 marked
    save(tmp_path / "a.json", coco(NAMES, [(0, "dent", {"segmentation": segmentation})]))
    [record] = [r for r in records(tmp_path) if r.label]
    mask = drawn(record.regions, 24, 32)
    if expected is not None:
        assert (mask == expected).all()
    elif segmentation == CELLS:
        assert (mask.T.ravel() == np.repeat([False, True, False, True], CELLS["counts"])).all()
    else:
        assert mask.sum() == (34 if isinstance(segmentation, list) else 768)


@pytest.mark.parametrize("more", [{"segmentation": []}, {"segmentation": None},
                                  {"segmentation": [[1, 1, 3, 3]]}, {"iscrowd": 1,
                                                                     "segmentation": []}])
def test_boxes_are_no_outlines(tmp_path, more):
    """Beside an outline, too: half a mask would call the rest of the defects good."""
    images(tmp_path, *NAMES)
    save(tmp_path / "a.json", coco(NAMES, [(0, "dent", more), (1, "dent", {}), (1, "dent", more)]))
    assert [(r.defect_type, r.regions) for r in records(tmp_path)][:2] == [("dent", ())] * 2
    assert "2 defect images are marked by boxes" in noted(tmp_path)


@pytest.mark.parametrize("names", [("good",), ("ok",), ("no defect",)])
def test_where_good_is_annotated_other_images_are_asked_about(tmp_path, names):
    images(tmp_path, *NAMES)
    categories = (*names, "dent")
    marks = [(0, names[0], {}), (1, "dent", {})]
    save(tmp_path / "a.json", coco(NAMES, marks, categories))
    assert "1 images are annotated as good (a.png), and 1 have no annotation (c.png)" in \
        question(tmp_path)
    save(tmp_path / "a.json", coco(NAMES, [*marks, (2, names[0], {}), (2, "dent", {})], categories))
    assert kinds(tmp_path) == {"a.png": "good", "b.png": "dent", "c.png": "dent"}


def test_the_kind_that_covers_most_counts(tmp_path):
    images(tmp_path, *NAMES)
    small = {"segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}
    save(tmp_path / "a.json", coco(NAMES, [
        (0, "dent", small), (0, "scratch", {}), (1, "dent", {}), (1, "scratch", small),
        (2, "dent", {"segmentation": [], "bbox": [0, 0, 9, 9]}), (2, "scratch", small)]))
    assert kinds(tmp_path) == {"a.png": "scratch", "b.png": "dent", "c.png": "dent"}
    assert "3 images with several kinds" in noted(tmp_path)


@pytest.mark.parametrize("style", ["{}/_annotations.coco.json", "annotations/instances_{}2017.json",
                                   "{}.json"])
def test_splits(tmp_path, style):
    for split in ("train", "valid", "test"):
        images(tmp_path / split, "a.png", "b.png")
        save(tmp_path / style.format(split), coco(["a.png", "b.png"], [(1, "dent", {})]))
    assert {r.path: r.split for r in records(tmp_path)} == {
        "train/a.png": "train", "train/b.png": "holdout", "test/a.png": "test",
        "test/b.png": "test", "valid/a.png": None, "valid/b.png": None}
    assert "1 defect images of the training split are held out" in noted(tmp_path)
    assert "2 images for validation are left" in noted(tmp_path)


@pytest.mark.parametrize("splits", [("train",), ("train", "valid"), ("test",)])
def test_splits_that_are_not_whole_are_the_pipelines(tmp_path, splits):
    for split in splits:
        images(tmp_path / split, "a.png", "b.png")
        save(tmp_path / split / "x.coco.json", coco(["a.png", "b.png"], [(1, "dent", {})]))
    assert {r.split for r in records(tmp_path)} == {None}
    assert "the pipeline splits all images" in noted(tmp_path)


def _spoilt(change):
    content = coco(NAMES, [(0, "dent", {}), (1, "dent", {})])
    change(content)
    return content


@pytest.mark.parametrize(("content", "message"), [
    ('{"images": [], "annotations": [', "expected COCO JSON"),
    (_spoilt(lambda c: c.pop("annotations")), "annotations: Field required"),
    (_spoilt(lambda c: c["images"][0].pop("file_name")), "images.0.file_name: Field required"),
    (_spoilt(lambda c: c["annotations"][0].update(image_id=9)),
     "1 annotations are of images that it does not list (id 9)"),
    (_spoilt(lambda c: c["annotations"][0].update(category_id=9)),
     "1 annotations are of categories that it does not list (id 9)"),
    (_spoilt(lambda c: c["images"].append({"id": 0, "file_name": "b.png"})),
     "1 images share an id"),
    (_spoilt(lambda c: c["images"].append({"id": 7, "file_name": "b.png"})),
     "1 images occur more than once (b.png)"),
    (_spoilt(lambda c: c["images"].append({"id": 7, "file_name": "gone.png"})),
     "cannot be used: gone.png (no such file)"),
    (_spoilt(lambda c: c["images"][0].update(width=64)),
     "a.png (64x24 px, and the file has 32x24)"),
    (_spoilt(lambda c: c["annotations"][0].update(segmentation=[[40, 1, 50, 1, 50, 9]])),
     "an outline outside its 32x24 px"),
    (_spoilt(lambda c: c["annotations"][0].update(segmentation=[[1, 1, 5, 1, 5, 9, 4]])),
     "expected x, y pairs"),
    (_spoilt(lambda c: c["annotations"][0].update(segmentation={"size": [24, 32], "counts": [1]})),
     "the run lengths of annotation 0 are for 1 px"),
    (_spoilt(lambda c: c["annotations"][0].update(segmentation={"size": [24, 32], "counts": "~"})),
     "no text of run lengths"),
    (_spoilt(lambda c: c["annotations"][0].update(
        segmentation={"size": [32, 24], "counts": [0, 768]})), "an outline outside"),
])
def test_broken_files_are_refused(tmp_path, content, message):
    images(tmp_path, *NAMES)
    save(tmp_path / "a.json", content)
    assert message in question(tmp_path)


def test_an_image_in_two_files_is_refused(tmp_path):
    images(tmp_path, *NAMES)
    save(tmp_path / "a.json", coco(NAMES, [(0, "dent", {})]))
    save(tmp_path / "b.json", coco(NAMES[:1]))
    assert "1 images occur more than once (a.png)" in question(tmp_path)


def test_the_same_name_in_two_folders_is_refused(tmp_path):
    images(tmp_path, *(f"x/{name}" for name in NAMES), *(f"y/{name}" for name in NAMES))
    save(tmp_path / "a.json", coco(NAMES, [(0, "dent", {})]))
    assert "a.png could be" in question(tmp_path)


@pytest.mark.parametrize("split", ["test", "valid", "val"])
def test_a_test_without_annotations_is_asked_about(tmp_path, split):
    for part in ("train", split):
        images(tmp_path / part, *NAMES)
        save(tmp_path / part / "x.json", coco(NAMES, [(0, "dent", {})] if part == "train" else []))
    assert "none of its 3 images has an annotation" in question(tmp_path)


@pytest.mark.parametrize("name", ["defect/c.png", "NG/c.png", "c_defect.png", "scratch/c.png"])
def test_names_that_tell_of_defects_are_asked_about(tmp_path, name):
    images(tmp_path, "a.png", name)
    save(tmp_path / "a.json", coco(["a.png", name], [(0, "dent", {})]))
    assert f"their names tell of defects ({name})" in question(tmp_path)


def test_turned_images_have_the_size_they_are_seen_in(tmp_path):
    from PIL import Image
    exif = Image.Exif()
    exif[0x0112] = 6
    write(tmp_path / "a.jpg", pixels(0, 24, 32, 3), exif=exif)
    images(tmp_path, "b.png")
    content = coco(["b.png", "a.jpg"], [(1, "dent", {})])
    content["images"][1].update(width=24, height=32)
    save(tmp_path / "a.json", content)
    assert kinds(tmp_path) == {"a.jpg": "dent", "b.png": "good"}


MARKS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["good", "dent", "scratch"]),
                           st.sampled_from([{}, {"segmentation": []}, {"iscrowd": 1}])), max_size=6)


@settings(max_examples=40, deadline=None)
@given(MARKS)
def test_no_image_with_a_defect_is_good_and_none_is_lost(marks):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        images(root, *NAMES)
        (root / "a.json").write_text(json.dumps(coco(NAMES, marks)))
        defective = {NAMES[number] for number, category, _ in marks if category != "good"}
        said_good = {NAMES[number] for number, category, _ in marks if category == "good"}
        bare = set(NAMES) - defective - said_good
        if bare and said_good:
            assert "have no annotation" in question(root)
            return
        found = kinds(root)
        assert set(found) == set(NAMES)
        assert {path for path, kind in found.items() if kind != "good"} == defective
