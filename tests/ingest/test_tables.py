"""Tables of images: every column, and what is wrong with one in one sentence."""

import pandas as pd
import pytest

from hdm.errors import DataError
from hdm.ingest.readers import Record, read_source

ROWS = pd.DataFrame({
    "path": ["a.png", "b.png", "c/d.png", "e.png"], "split": ["train", "", "test", "calibration"],
    "label": [0, 1, 1, 0], "defect_type": ["good", "dent", "", ""],
    "mask_path": ["", "m.png", "", ""], "group": ["1", "", "2", "3"], "camera": [7, 7, 7, 7]})


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_table(tmp_path, suffix):
    file = tmp_path / f"images.{suffix}"
    ROWS.to_csv(file, index=False) if suffix == "csv" else ROWS.to_parquet(file)
    assert read_source(file) == [
        Record("a.png", "train", "good", None, "1"), Record("b.png", None, "dent", "m.png"),
        Record("c/d.png", "test", "defect", None, "2"), Record("e.png", "calibration", "good",
                                                              None, "3")]


def test_table_of_paths_alone_is_good(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("\ufeffpath\nb.png\na.png\n", encoding="utf-8")
    assert read_source(file) == [Record("a.png", None, "good"), Record("b.png", None, "good")]


def test_table_with_nulls(tmp_path):
    ROWS.replace("", None).to_parquet(tmp_path / "t.parquet")
    assert read_source(tmp_path / "t.parquet")[1].group is None


@pytest.mark.parametrize(("text", "message"), [
    ("pth,label\na.png,0\n", "unknown column 'pth'; did you mean 'path'"),
    ("path,labels\na.png,0\n", "unknown column 'labels'; did you mean 'label'"),
    ("path,mask\na.png,m.png\n", "unknown column 'mask'; did you mean 'mask_path'"),
    ("camera,time\n1,2\n", "expected a column path, found camera, time"),
    ("path,split\na.png,tests\n", "unknown split 'tests' of a.png; did you mean 'test'"),
    ("path,split\na.png,xyz\n", "unknown split 'xyz' of a.png; expected train"),
    ("path,label\na.png,maybe\n", "unknown label 'maybe' of a.png"),
    ("path,label,defect_type\na.png,0,dent\n", "label '0' but the defect type 'dent'"),
    ("path\na.png\nb.png\na.png\n", r"'a.png' occurs twice \(1 rows"),
    ("path,split\n,train\n", "empty cell"), ("", "not a readable table"),
    ("path\n", "found none; add images"),
])
def test_bad_tables(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_source(tmp_path / "t.csv")


def test_damaged_parquet_table(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="not a readable table"):
        read_source(tmp_path / "t.parquet")
