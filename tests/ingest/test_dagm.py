"""DAGM 2007."""

import pytest
from annotation_files import images, noted, question, records, save
from image_files import mask

from hdm.ingest.readers import Record, detect


def dagm(root, splits=("Train", "Test"), suffix="PNG", labels="Label"):
    for number, split in enumerate(splits):
        images(root, *(f"{split}/{10 * number + i:04d}.{suffix}" for i in range(3)))
        mask(root / split / labels / f"{10 * number + 1:04d}_label.{suffix}")
    return root


@pytest.mark.parametrize(("splits", "suffix", "labels"), [
    (("Train", "Test"), "PNG", "Label"), (("train", "test"), "png", "label"),
    (("TRAIN", "TEST"), "bmp", "Label")])
def test_dagm(tmp_path, splits, suffix, labels):
    dagm(tmp_path, splits, suffix, labels)
    assert detect(tmp_path)[0] == "dagm"
    train, test = splits
    assert {r.path: r for r in records(tmp_path)} == {r.path: r for r in (
        Record(f"{train}/0000.{suffix}", "train", "good"),
        Record(f"{train}/0001.{suffix}", "holdout", "defect",
               (f"{train}/{labels}/0001_label.{suffix}",)),
        Record(f"{train}/0002.{suffix}", "train", "good"),
        Record(f"{test}/0010.{suffix}", "test", "good"),
        Record(f"{test}/0011.{suffix}", "test", "defect",
               (f"{test}/{labels}/0011_label.{suffix}",)),
        Record(f"{test}/0012.{suffix}", "test", "good"))}
    assert "coarse ellipses" in noted(tmp_path)


@pytest.mark.parametrize("split", ["Train", "Test"])
def test_one_split_alone_is_the_pipelines(tmp_path, split):
    dagm(tmp_path, (split,))
    assert {r.split for r in records(tmp_path)} == {None}


LISTED = "1\n0\t0\t0000.PNG\t0\t0\n1\t1\t0001.PNG\t0\t0001_label.PNG\n2\t{}\t0002.PNG\t0\t0\n"


@pytest.mark.parametrize(("flag", "kind"), [("0", "good"), ("1", "defect")])
def test_what_labels_txt_says(tmp_path, flag, kind):
    save(dagm(tmp_path) / "Train/Label/Labels.txt", LISTED.format(flag))
    found = {r.path: r for r in records(tmp_path)}
    assert found["Train/0002.PNG"].defect_type == kind
    assert found["Train/0001.PNG"].label == 1


@pytest.mark.parametrize("number", [0, 2])
def test_labels_txt_against_the_masks(tmp_path, number):
    save(dagm(tmp_path) / "Train/Label/Labels.txt", LISTED.format("0"))
    mask(tmp_path / f"Train/Label/{number:04d}_label.PNG")
    assert f"says that {number:04d} have no defect" in question(tmp_path)


@pytest.mark.parametrize("name", ["0009_label.PNG", "0010_label.PNG", "x.PNG"])
def test_masks_without_their_image(tmp_path, name):
    mask(dagm(tmp_path) / "Train/Label" / name)
    assert f"belong to no image of Train/ (Train/Label/{name})" in question(tmp_path)
