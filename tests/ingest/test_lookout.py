"""Manifests of Lookout for Vision."""

import json

import numpy as np
import pytest
from annotation_files import images, kinds, noted, question, records, save
from hypothesis import given
from hypothesis import strategies as st
from image_files import write

from hdm.ingest.readers import detect, read_source
from hdm.ingest.readers.lookout import _line

BLUE, GREEN = (31, 119, 180), (44, 160, 44)
COLOURS = {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.0},
           "1": {"class-name": "scratch", "hex-color": "#2ca02c", "confidence": 0.0},
           "2": {"class-name": "dent", "hex-color": "#1f77b4", "confidence": 0.0}}


def entry(path, name=None, number=None, mask=None, classes="012", attribute="anomaly-label"):
    line = {"source-ref": path}
    if name or number is not None:
        line[attribute] = number if number is not None else int(name != "normal")
        line[attribute + "-metadata"] = {
            "class-name": name, "confidence": 1, "human-annotated": "yes",
            "job-name": "labeling-job/x", "type": "groundtruth/image-classification"}
        if not name:
            del line[attribute + "-metadata"]["class-name"]
    if mask:
        line["anomaly-mask-ref"] = mask
        line["anomaly-mask-ref-metadata"] = {
            "internal-color-map": {key: COLOURS[key] for key in classes},
            "type": "groundtruth/semantic-segmentation", "human-annotated": "yes"}
    return line


def manifest(file, *lines):
    return save(file, "\n".join(json.dumps(line) for line in lines) + "\n")


def mask(file, green=0, blue=0):
    """White, with rows of green and of blue."""
    pixels = np.full((24, 32, 3), 255, np.uint8)
    pixels[:green] = GREEN
    pixels[green:green + blue] = BLUE
    write(file, pixels)


@pytest.mark.parametrize("written", ["s3://bucket/line/{}", "{}", "s3://bucket/{}", "/data/{}"])
@pytest.mark.parametrize("attribute", ["anomaly-label", "my-job_1", "class"])
def test_labels(tmp_path, written, attribute):
    images(tmp_path, "img/a.png", "img/b.png", "img/c.png")
    file = manifest(tmp_path / "x.manifest", *(
        entry(written.format(f"img/{name}.png"), label, attribute=attribute)
        for name, label in (("a", "normal"), ("b", "anomaly"), ("c", "scratch"))))
    assert detect(tmp_path) == ("lookout", "x.manifest") and detect(file)[0] == "lookout"
    for source in (tmp_path, file):
        found = read_source(source)
        assert [(r.path, r.defect_type, r.split) for r in found.records] == [
            ("img/a.png", "good", None), ("img/b.png", "defect", None),
            ("img/c.png", "scratch", None)]
        assert found.documents == ("x.manifest",)


@pytest.mark.parametrize(("numbers", "expected"), [
    ((0, 1), ["good", "defect"]), ((1, 0), ["good", "defect"]), ((None, None), ["good", "defect"])])
def test_the_class_name_counts_and_the_number_is_the_jobs(tmp_path, numbers, expected):
    images(tmp_path, "a.png", "b.png")
    manifest(tmp_path / "x.manifest", entry("a.png", "normal", numbers[0]),
             entry("b.png", "anomaly", numbers[1]))
    assert list(kinds(tmp_path).values()) == expected
    assert ("the name counts" in noted(tmp_path)) == (numbers == (1, 0))


def test_numbers_alone(tmp_path):
    images(tmp_path, "a.png", "b.png")
    manifest(tmp_path / "x.manifest", entry("a.png", None, 0), entry("b.png", None, 1))
    assert list(kinds(tmp_path).values()) == ["good", "defect"]


def test_numbers_that_agree_in_part_are_refused(tmp_path):
    images(tmp_path, "a.png", "b.png")
    manifest(tmp_path / "x.manifest", entry("a.png", "normal", 1), entry("b.png", "anomaly", 1))
    assert "1 lines (x.manifest line 1) the number of the label says otherwise" in \
        question(tmp_path)


@pytest.mark.parametrize(("drawn", "classes", "expected"), [
    ({"green": 5}, "01", "scratch"), ({"green": 5, "blue": 9}, "012", "dent"),
    ({"green": 9, "blue": 5}, "012", "scratch"), ({"blue": 3}, "012", "dent"),
    ({}, "012", "defect")])
def test_masks_name_the_kind(tmp_path, drawn, classes, expected):
    images(tmp_path, "a.png", "b.png")
    mask(tmp_path / "masks/b.png", **drawn)
    manifest(tmp_path / "x.manifest", entry("s3://one/p/a.png", "normal"),
             entry("s3://one/p/b.png", "anomaly", mask="s3://two/q/masks/b.png", classes=classes))
    [record] = [r for r in records(tmp_path) if r.label]
    assert (record.defect_type, record.masks) == (expected, ("masks/b.png",))


@pytest.mark.parametrize("green", [0, 4])
def test_masks_of_normal_images(tmp_path, green):
    images(tmp_path, "a.png", "b.png")
    mask(tmp_path / "m/a.png", green=green)
    manifest(tmp_path / "x.manifest", entry("a.png", "normal", mask="m/a.png"),
             entry("b.png", "anomaly"))
    if green:
        assert "a.png is labelled normal, and its mask marks scratch" in question(tmp_path)
    else:
        found = read_source(tmp_path)
        assert found.records[0].masks == () and "m/a.png" in found.aside


@pytest.mark.parametrize("names", [("train.manifest", "test.manifest"),
                                   ("Train_v2.jsonl", "line-test.jsonl"),
                                   ("training.json", "testing.json")])
def test_train_and_test_side_by_side(tmp_path, names):
    for name, folder in zip(names, ("x", "y"), strict=True):
        images(tmp_path / folder, "a.png", "b.png")
        manifest(tmp_path / name, entry(f"s3://b/{folder}/a.png", "normal"),
                 entry(f"s3://b/{folder}/b.png", "anomaly"))
    assert [(r.path, r.split) for r in records(tmp_path)] == [
        ("x/a.png", "train"), ("x/b.png", "holdout"), ("y/a.png", "test"), ("y/b.png", "test")]


def test_lines_without_a_label_are_aside(tmp_path):
    images(tmp_path, "a.png", "b.png", "c.png")
    manifest(tmp_path / "x.manifest", entry("a.png", "normal"), entry("b.png"),
             entry("c.png", "anomaly"))
    found = read_source(tmp_path)
    assert [r.path for r in found.records] == ["a.png", "c.png"]
    assert found.aside["b.png"] == "x.manifest line 2 has no label for it"
    assert "1 of 3 lines have no label" in " ".join(found.notes)


@pytest.mark.parametrize(("text", "message"), [
    ('{"source-ref": "a.png"\n', "line 1: expected a JSON object"),
    ('{"source-ref": "a.png"}\n[1]\n', "line 2: expected a JSON object with source-ref"),
    ('{"source-ref": 5}\n', "line 1: expected a JSON object with source-ref"),
    (json.dumps(entry("gone.png", "normal")), "cannot be used: gone.png (no such file)"),
    (json.dumps(entry("a.png", "normal", mask="gone.png")), "cannot be used: gone.png"),
    (json.dumps(entry("a.png", None, 7)), "expected the class-name normal or anomaly"),
    ("\n".join([json.dumps(entry("a.png", "normal"))] * 2), "occur in more than one line"),
    (json.dumps(entry("a.png", "normal") | entry("a.png", "anomaly", attribute="b")), "disagree")])
def test_broken_manifests(tmp_path, text, message):
    images(tmp_path, "a.png")
    save(tmp_path / "x.manifest", text)
    assert message in question(tmp_path)


@given(st.sampled_from(["anomaly", "Anomaly", "defect", "scratch", "NG", "not ok", "dent"]),
       st.sampled_from([0, 1, None, 2]))
def test_an_anomaly_is_never_good(name, number):
    found = _line("x", entry("a.png", name, number))
    assert found.kind not in ("good", None)
