"""Contract of every reader of folders: which image goes where, with which mask and group."""

import numpy as np
import pandas as pd
import pytest
from image_files import fill, mask, mvtec, pixels, write

from hdm.errors import DataError
from hdm.ingest.readers import READERS, Record, detect
from hdm.ingest.readers import read_source as read_all
from hdm.pipelines import Source


def read_source(source, layout="auto"):
    return read_all(source, Source(path=str(source), format=layout)).records


def by_path(records):
    assert [r.path for r in records] == sorted(r.path for r in records)
    return {r.path: r for r in records}


def btad(root):
    fill(root / "train/ok", 3, 0, ".bmp")
    fill(root / "test/ok", 2, 10, ".bmp")
    fill(root / "test/ko", 2, 20, ".bmp")
    mask(root / "ground_truth/ko/000.png")
    return root


def visa(root):
    fill(root / "Data/Images/Normal", 3, 0, ".JPG")
    fill(root / "Data/Images/Anomaly", 2, 10, ".JPG")
    mask(root / "Data/Masks/Anomaly/000.png")
    return root


def ksdd2(root):
    for split, number in (("train", 3), ("test", 2)):
        for i in range(number):
            write(root / split / f"{i:05d}.png", pixels(i))
            mask_file = root / split / f"{i:05d}_GT.png"
            mask(mask_file) if i == 1 else write(mask_file, np.zeros((24, 32), np.uint8))
    return root


def folder(root):
    fill(root / "good", 3, 0)
    fill(root / "dent", 2, 10)
    return root


def table(root):
    fill(root / "images", 3, 0)
    (root / "t.csv").write_text("path\nimages/000.png\nimages/001.png\n")
    return root / "t.csv"


SOURCES = {"mvtec": mvtec, "btad": btad, "visa": visa, "ksdd2": ksdd2, "folder": folder,
           "table": table}


@pytest.mark.parametrize("layout", SOURCES)
def test_auto_finds_the_layout(tmp_path, layout):
    source = SOURCES[layout](tmp_path)
    assert detect(source)[0] == layout
    assert read_source(source) == read_source(source, layout)


@pytest.mark.parametrize("layout", READERS)
def test_another_layout_is_refused_with_what_was_expected(tmp_path, layout):
    (tmp_path / "stuff").mkdir()
    with pytest.raises(DataError, match=rf"format {layout}\), found stuff/"):
        read_source(tmp_path, layout)


def test_auto_says_what_it_looked_for(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError) as caught:
        read_source(tmp_path)
    for words in ("found pictures/", "train/good/", "train/ok/", "NNNNN_GT.png", "Data/Images",
                  ".csv or .parquet", "any number of folders", "good/"):
        assert words in str(caught.value)


def test_mvtec(tmp_path):
    mvtec(tmp_path, train=2, test=1, defects=2)
    (tmp_path / "ground_truth/scratch/001_mask.png").unlink()
    write(tmp_path / "train/good/notes.txt.png", pixels(5))
    (tmp_path / "train/good/readme.txt").write_text("no image")
    (tmp_path / "train/good/.hidden.png").write_text("no image")
    assert by_path(read_source(tmp_path)) == {
        "train/good/000.png": Record("train/good/000.png", "train", "good"),
        "train/good/001.png": Record("train/good/001.png", "train", "good"),
        "train/good/notes.txt.png": Record("train/good/notes.txt.png", "train", "good"),
        "test/good/000.png": Record("test/good/000.png", "test", "good"),
        "test/scratch/000.png": Record("test/scratch/000.png", "test", "scratch",
                                       ("ground_truth/scratch/000_mask.png",)),
        "test/scratch/001.png": Record("test/scratch/001.png", "test", "scratch"),
    }


def test_mvtec_defects_under_train_are_holdout_and_validation_calibrates(tmp_path):
    mvtec(tmp_path)
    fill(tmp_path / "train/dent", 1, 50)
    fill(tmp_path / "validation/good", 1, 60)
    records = by_path(read_source(tmp_path))
    assert records["train/dent/000.png"].split == "holdout"
    assert records["train/dent/000.png"].label == 1
    assert records["validation/good/000.png"].split == "calibration"


def test_parts_give_groups(tmp_path):
    mvtec(tmp_path, train=3)
    (tmp_path / "parts.csv").write_text(
        "path,group\ntrain/good/000.png,p1\ntrain/good/001.png,p1\ngone.png,p2\n")
    records = by_path(read_source(tmp_path))
    assert [records[f"train/good/00{i}.png"].group for i in range(3)] == ["p1", "p1", None]


@pytest.mark.parametrize(("text", "message"), [
    ("file,part\na,b\n", "expected the columns path and group, found file, part"),
    ("path,group\n000.png,p1\n", "expected paths relative to its folder such as test/good/000"),
    ("path,group\na,b\na,c\n", "names a twice"), ("", "not a readable CSV"),
])
def test_bad_parts_are_refused(tmp_path, text, message):
    mvtec(tmp_path)
    (tmp_path / "parts.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_source(tmp_path)


@pytest.mark.parametrize("place", ["ground_truth/dent/000.png", "masks/dent/000_mask.png",
                                   "dent/000_mask.png"])
def test_folder_masks_in_three_places(tmp_path, place):
    folder(tmp_path)
    mask(tmp_path / place)
    records = by_path(read_source(tmp_path))
    assert set(records) == {f"good/00{i}.png" for i in range(3)} | {"dent/000.png", "dent/001.png"}
    assert records["dent/000.png"] == Record("dent/000.png", None, "dent", (place,))
    assert records["dent/001.png"].masks == ()
    assert all(r.masks == () and r.label == 0 for p, r in records.items()
               if p.startswith("good"))


def test_folder_with_good_images_alone_and_below(tmp_path):
    fill(tmp_path / "good", 2, 0)
    fill(tmp_path / "good/line 2/früh", 1, 10, ".jpeg")
    records = read_source(tmp_path)
    assert [r.path for r in records] == ["good/000.png", "good/001.png",
                                         "good/line 2/früh/000.jpeg"]


def test_an_image_that_only_is_called_mask_stays_an_image(tmp_path):
    write(tmp_path / "good/face_mask.png", pixels(0))
    assert [r.path for r in read_source(tmp_path)] == ["good/face_mask.png"]


def test_btad(tmp_path):
    records = by_path(read_source(btad(tmp_path)))
    assert records["test/ko/000.bmp"] == Record("test/ko/000.bmp", "test", "ko",
                                                ("ground_truth/ko/000.png",))
    assert records["test/ko/001.bmp"].masks == ()
    assert {r.split for p, r in records.items() if "ok" in p and r.label == 0} == {"train", "test"}
    assert len(records) == 7


def test_ksdd2_reads_the_label_from_the_mask_and_holds_defects_out(tmp_path):
    records = by_path(read_source(ksdd2(tmp_path)))
    assert {p: (r.split, r.label) for p, r in records.items()} == {
        "train/00000.png": ("train", 0), "train/00001.png": ("holdout", 1),
        "train/00002.png": ("train", 0), "test/00000.png": ("test", 0),
        "test/00001.png": ("test", 1)}
    assert records["test/00001.png"].masks == ("test/00001_GT.png",)
    assert records["test/00000.png"].masks == ("test/00000_GT.png",)


def test_ksdd2_without_a_mask_is_refused(tmp_path):
    ksdd2(tmp_path)
    (tmp_path / "test/00000_GT.png").unlink()
    with pytest.raises(DataError, match=r"none for test/00000\.png \(1 of 2"):
        read_source(tmp_path)


def test_visa_without_a_split_file(tmp_path):
    records = by_path(read_source(visa(tmp_path)))
    assert {r.split for r in records.values()} == {None}
    assert records["Data/Images/Anomaly/000.JPG"].masks == ("Data/Masks/Anomaly/000.png",)
    assert records["Data/Images/Anomaly/001.JPG"].masks == ()
    assert sum(r.label for r in records.values()) == 2


def test_visa_split_file_of_all_objects(tmp_path):
    source = visa(tmp_path / "candle")
    rows = [("candle", "train", "normal", "candle/Data/Images/Normal/000.JPG"),
            ("candle", "test", "normal", "candle/Data/Images/Normal/001.JPG"),
            ("candle", "test", "anomaly", "candle/Data/Images/Anomaly/000.JPG"),
            ("fryum", "train", "normal", "fryum/Data/Images/Normal/001.JPG")]
    (source / "split_csv").mkdir()
    pd.DataFrame(rows, columns=["object", "split", "label", "image"]).to_csv(
        source / "split_csv/1cls.csv", index=False)
    records = by_path(read_source(source))
    assert [records[f"Data/Images/Normal/00{i}.JPG"].split for i in range(3)] == \
        ["train", "test", None]
    assert records["Data/Images/Anomaly/000.JPG"].split == "test"


@pytest.mark.parametrize(("text", "message"), [
    ("a,b\n1,2\n", "expected the columns image and split"),
    ("image,split\nData/Images/Normal/000.JPG,dev\n", "found 'dev'"), ("", "not a readable")])
def test_bad_visa_split_file(tmp_path, text, message):
    (visa(tmp_path) / "split.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_source(tmp_path)


def test_missing_empty_and_strange_sources(tmp_path):
    with pytest.raises(DataError, match=r"found nothing; correct source\.path"):
        read_source(tmp_path / "none")
    with pytest.raises(DataError, match="found an empty folder"):
        read_source(tmp_path)
    (tmp_path / "good").mkdir()
    with pytest.raises(DataError, match="found none; add images"):
        read_source(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"found the file a\.zip"):
        read_source(tmp_path / "a.zip")


def test_links_in_a_circle_end(tmp_path):
    fill(tmp_path / "good", 2, 0)
    (tmp_path / "good/again").symlink_to(tmp_path / "good", target_is_directory=True)
    assert len(read_source(tmp_path)) == 2
