"""LabelMe files: a JSON beside each image, or a folder of good ones."""

import base64
import io

import numpy as np
import pytest
from annotation_files import images, kinds, noted, question, records, save, square
from PIL import Image

from hdm.ingest.outlines import drawn
from hdm.ingest.readers import detect, read_source

POINTS = [[4, 4], [10, 4], [10, 9], [4, 9]]


def labelme(image, *shapes, **more):
    return {"version": "5.4", "flags": {}, "imagePath": image, "imageWidth": 32, "imageHeight": 24,
            "imageData": None, **more,
            "shapes": [{"label": label, "points": points, "shape_type": kind, "flags": {}, **rest}
                       for label, points, kind, rest in shapes]}


DENT = ("dent", POINTS, "polygon", {})


def line(root, *shapes, image="b.png", **more):
    images(root, "good/a.png", "b.png")
    save(root / "b.json", labelme(image, *shapes, **more))
    return root


@pytest.mark.parametrize("image", ["b.png", "C:\\Users\\x\\b.png", "../elsewhere/b.png",
                                   "renamed.png", "B.png"])
def test_the_image_is_found(tmp_path, image):
    line(tmp_path, DENT, image=image)
    assert kinds(tmp_path, format="labelme") == {"b.png": "dent", "good/a.png": "good"}


@pytest.mark.parametrize("image", ["../images/b.png", "..\\images\\b.png", "b.png"])
def test_files_in_a_folder_of_their_own(tmp_path, image):
    images(tmp_path, "images/a.png", "images/b.png")
    save(tmp_path / "json/b.json", labelme(image, DENT))
    save(tmp_path / "json/a.json", labelme(image.replace("b.", "a.")))
    assert detect(tmp_path)[0] == "labelme"
    found = read_source(tmp_path)
    assert {r.path: r.defect_type for r in found.records} == {"images/a.png": "good",
                                                              "images/b.png": "dent"}
    assert found.documents == ("json/a.json", "json/b.json")
    assert "1 images without an annotation are taken as good" in " ".join(found.notes)


def _encoded(mask):
    stream = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize("shape", [
    DENT, ("dent", POINTS, None, {}),
    ("dent", [[4, 4], [10, 9]], "mask", {"mask": _encoded(np.ones((5, 6), bool))})])
def test_outlines(tmp_path, shape):
    line(tmp_path, shape)
    [record] = [r for r in records(tmp_path, format="labelme") if r.label]
    assert (drawn(record.regions, 24, 32) == square()).all()


def test_a_circle_is_an_outline(tmp_path):
    line(tmp_path, ("dent", [[16, 12], [16, 20]], "circle", {}))
    [record] = [r for r in records(tmp_path, format="labelme") if r.label]
    assert drawn(record.regions, 24, 32).sum() == pytest.approx(np.pi * 64, rel=0.05)


@pytest.mark.parametrize("corner", [[-2, -1], [29, 20], [28, -2]])
def test_a_mask_is_cut_off_at_the_border(tmp_path, corner):
    mask = ("dent", [corner, corner], "mask", {"mask": _encoded(np.ones((5, 6), bool))})
    line(tmp_path, mask)
    [record] = [r for r in records(tmp_path, format="labelme") if r.label]
    inside = [max(0, min(c + size, limit) - max(c, 0))
              for c, size, limit in zip(corner, (6, 5), (32, 24), strict=True)]
    assert drawn(record.regions, 24, 32).sum() == inside[0] * inside[1]


@pytest.mark.parametrize("shape", [
    ("dent", [[4, 4], [10, 9]], "rectangle", {}), ("dent", [[4, 4], [9, 9]], "line", {}),
    ("dent", [[4, 4], [9, 9], [3, 2]], "linestrip", {}), ("dent", [[4, 4]], "point", {})])
def test_what_is_no_outline_marks_the_image_alone(tmp_path, shape):
    line(tmp_path, DENT, shape)
    [record] = [r for r in records(tmp_path, format="labelme") if r.label]
    assert record.regions == () and record.defect_type == "dent"


@pytest.mark.parametrize(("flags", "kind"), [
    ({"good": True}, "good"), ({"scratch": True}, "scratch"), ({"scratch": False}, "good")])
def test_flags(tmp_path, flags, kind):
    images(tmp_path, "a.png", "b.png")
    save(tmp_path / "b.json", labelme("b.png", flags=flags))
    save(tmp_path / "a.json", labelme("a.png", flags={"good": True} if flags.get("good") else {}))
    assert kinds(tmp_path) == {"a.png": "good", "b.png": kind}


@pytest.mark.parametrize("name", ["c.png", "bad/c.png", "other/c.png"])
def test_images_of_which_nothing_is_said(tmp_path, name):
    line(tmp_path, DENT)
    images(tmp_path, name)
    assert f"1 images have no LabelMe file ({name})" in question(tmp_path, format="labelme")


@pytest.mark.parametrize(("content", "message"), [
    ('{"shapes": [], "imagePath": ', "expected a LabelMe file"),
    (labelme("b.png", ("dent", [[1]], "polygon", {})), "shapes.0.points"),
    (labelme("gone.png", DENT), "files cannot be used: gone.png"),
    (labelme("b.png", DENT, imageWidth=64), "b.png (64x24 px, and the file has 32x24)"),
    (labelme("b.png", ("dent", [[1, 1], [2, 2]], "mask", {"mask": "AAAA"})), "cannot be read")])
def test_broken_files_are_refused(tmp_path, content, message):
    images(tmp_path, "good/a.png", "b.png")
    save(tmp_path / ("x.json" if "gone" in message else "b.json"), content)
    assert message in question(tmp_path, format="labelme")


def test_two_files_of_one_image_are_refused(tmp_path):
    line(tmp_path, DENT)
    save(tmp_path / "copy.json", labelme("b.png"))
    assert "1 images occur more than once (b.png)" in question(tmp_path, format="labelme")


def test_good_images_by_their_folder_are_noted(tmp_path, format="labelme"):
    line(tmp_path, DENT)
    (tmp_path / "good").rename(tmp_path / "OK")
    assert "1 images without an annotation" in noted(tmp_path, format="labelme")
