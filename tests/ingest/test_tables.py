"""Tables of images: files and columns, and what is wrong with one in one sentence."""

import numpy as np
import pandas as pd
import pytest
from image_files import fill, write

from hdm.errors import DataError
from hdm.ingest.readers import Record, read_source
from hdm.pipelines import Source

ROWS = pd.DataFrame({
    "path": ["a.png", "b.png", "c/d.png", "e.png"], "split": ["train", "", "test", "calibration"],
    "label": [0, 1, 1, 0], "defect_type": ["good", "dent", "", ""],
    "mask_path": ["", "m.png", "", ""], "group": ["1", "", "2", "3"], "camera": [7, 7, 7, 7]})
EXPECTED = [Record("a.png", "train", "good", group="1"), Record("b.png", None, "dent", ("m.png",)),
            Record("c/d.png", "test", "defect", group="2"),
            Record("e.png", "calibration", "good", group="3")]


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate(("a", "b", "c/d", "e", "m")):
        write(tmp_path / f"{name}.png", np.full((8, 8), 10 * number, np.uint8))
    return tmp_path


def saved(root, text, name="t.csv", encoding="utf-8"):
    (root / name).write_bytes(text.encode(encoding))
    return root / name


def refused(file, **columns):
    with pytest.raises(DataError) as caught:
        read_source(file, Source(path=str(file), columns=columns))
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?"))
    return message


@pytest.mark.parametrize("suffix", ["csv", "parquet", "tsv"])
def test_table(root, suffix):
    file = root / f"images.{suffix}"
    if suffix == "parquet":
        ROWS.to_parquet(file)
    else:
        ROWS.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
    found = read_source(file)
    assert found.records == EXPECTED
    assert found.documents == (file.name,)


@pytest.mark.parametrize(("delimiter", "encoding"), [
    (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "utf-16-le"), (",", "utf-8"), (";", "cp1252")])
def test_delimiters_and_encodings(root, delimiter, encoding):
    write(root / "Prüf.png", np.zeros((8, 8), np.uint8))
    rows = [["Bild", "Klasse"], ["a.png", "gut"], ["Prüf.png", "Riß"]]
    file = saved(root, "\r\n".join(delimiter.join(row) for row in rows), encoding=encoding)
    found = read_source(file)
    assert [(r.path, r.defect_type) for r in found.records] == \
        [("Prüf.png", "Riß"), ("a.png", "good")]
    assert any("Latin-1" in note for note in found.notes) == (encoding == "cp1252")


@pytest.mark.parametrize("text", [
    "sep=;\npath;label\na.png;0\nb.png;1\n;\n;\n", 'path,label,\n"a.png",0,\nb.png,1,\n\n',
    "path;label\na.png;0,0\nb.png;1,0\n"])
def test_what_excel_writes(root, text):
    found = read_source(saved(root, text)).records
    assert [r.label for r in found] == [0, 1]


@pytest.mark.parametrize("values", [
    [True, False, False], pd.Categorical(["NOK", "ok", "ok"]), [1.0, 0.0, 0.0],
    pd.array([1, 0, 0], dtype="Int64")])
def test_parquet_types(root, values):
    pd.DataFrame({"path": ["a.png", "b.png", "e.png"], "label": values}).to_parquet(
        root / "t.parquet")
    assert [r.label for r in read_source(root / "t.parquet").records] == [1, 0, 0]


def test_paths_alone_are_good_and_that_is_said(root):
    found = read_source(saved(root, "\ufeffpath\nb.png\na.png\n"))
    assert found.records == [Record("a.png", None, "good"), Record("b.png", None, "good")]
    assert "no label column: all 2 images are taken as good" in " ".join(found.notes)


def test_table_with_nulls(root):
    ROWS.replace("", None).to_parquet(root / "t.parquet")
    assert read_source(root / "t.parquet").records == EXPECTED


@pytest.mark.parametrize("names", [
    ("file_name", "set", "part_id", "gt"), ("Image Path", "Subset", "Serial", "Mask File"),
    ("Bild", "Fold", "Teil", "Maske"), ("img", "partition", "SN", "ground-truth")])
def test_usual_names_of_columns(root, names):
    table = ROWS.rename(columns=dict(zip(("path", "split", "group", "mask_path"), names,
                                         strict=True)))
    table.to_csv(root / "t.csv", index=False)
    assert read_source(root / "t.csv").records == EXPECTED


@pytest.mark.parametrize(("word", "split"), [("Train", "train"), ("TESTING", "test"),
                                             ("hold-out", "holdout"), ("val", None)])
def test_words_for_splits(root, word, split):
    found = read_source(saved(root, f"path,split\na.png,{word}\nb.png,test\n"))
    assert found.records[0].split == split
    assert any("for validation" in note for note in found.notes) == (word == "val")


@pytest.mark.parametrize(("text", "message"), [
    ("pth,label\na.png,0\n", "unknown column 'pth'; did you mean 'path'"),
    ("path,labell\na.png,0\n", "unknown column 'labell'; did you mean 'label'"),
    ("path,mask_pth\na.png,m.png\n", "unknown column 'mask_pth'; did you mean 'mask_path'"),
    ("camera,time\n1,2\n", "expected a column path, found camera, time"),
    ("path,split\na.png,tests\n", "unknown split 'tests' of a.png; did you mean 'test'"),
    ("path,split\na.png,xyz\n", "unknown split 'xyz' of a.png; expected train"),
    ("path,label,defect_type\na.png,0,dent\nb.png,0,good\n", "disagree on 1 of 2 rows"),
    ("path\na.png\nb.png\na.png\n", "'a.png' occurs twice (1 rows"),
    ("path\n./a.png\na.png\n", "'a.png' occurs twice (1 rows"),
    ("path,split\n,train\n", "an empty cell in row 2"), ("", "not a readable table"),
    ("path\n", "found none; add images"), ("path,path\na.png,b.png\n", "two columns are named"),
    ("path\na.png\nx,y.png\n", "found more in row 3"),
    ("image,file\na.png,b.png\n", "'image', 'file' could each be the column path"),
    ("path,part,serial\na.png,1,2\nb.png,1,3\n", "could each be the column group"),
    ("path\na.png\ngone.png\nlost.png\n",
     "2 of 3 files cannot be used: gone.png (no such file), lost.png"),
    ("path,mask\na.png,gone.png\n", "cannot be used: gone.png (no such file)"),
])
def test_bad_tables(root, text, message):
    assert message in refused(saved(root, text))


@pytest.mark.parametrize("content", [b"PAR1", b"", b"path\na.png\n"])
def test_damaged_parquet_table(root, content):
    (root / "t.parquet").write_bytes(content)
    assert "not a readable table" in refused(root / "t.parquet")


@pytest.mark.parametrize(("name", "values", "why"), [
    ("part", ("bracket", "bracket"), "has one value, 'bracket', and is not read as group"),
    ("fold", ("1", "2"), "numbers folds, and is not read as split"),
    ("mask", ("0", "1"), "holds no names of image files, and is not read as mask_path")])
def test_columns_that_are_something_else_by_their_values(root, name, values, why):
    file = saved(root, f"path,ok,{name}\na.png,1,{values[0]}\nb.png,1,{values[1]}\n")
    found = read_source(file)
    assert found.records == [Record("a.png", None, "good"), Record("b.png", None, "good")]
    assert why in " ".join(found.notes)


def test_columns_without_a_name(root):
    found = read_source(saved(root, ",path,,label\n0,a.png,x,0\n1,b.png,y,1\n"))
    assert [(r.path, r.label) for r in found.records] == [("a.png", 0), ("b.png", 1)]


@pytest.mark.parametrize(("columns", "kinds"), [
    ({"label": "Befund"}, ["good", "dent"]), ({"is_defect": "x"}, ["defect", "good"]),
    ({"is_good": "x"}, ["good", "defect"]), ({"label": ""}, ["good", "good"])])
def test_a_person_says_which_column_is_the_label(root, columns, kinds):
    file = saved(root, "path,Befund,x,label\na.png,ok,1,1\nb.png,dent,0,1\n")
    found = read_source(file, Source(path=str(file), columns=columns))
    assert [r.defect_type for r in found.records] == kinds


def test_columns_that_are_not_there(root):
    file = saved(root, "path,label\na.png,0\n")
    assert "expected the column 'Befund', which pipelines.yaml says is label" in \
        refused(file, label="Befund")


def test_columns_are_about_tables(tmp_path):
    fill(tmp_path / "good", 2, 0)
    with pytest.raises(DataError, match=r"`columns` in pipelines\.yaml is about tables"):
        read_source(tmp_path, Source(path=str(tmp_path), columns={"label": "x"}))


@pytest.mark.parametrize("name, good, bad", [
    ("Befund", "", "Kratzer"), ("Fehlerbild", "ohne Befund", "Kratzer"), ("comment", "", "scratch"),
    ("finding", "no finding", "hairline"), ("Klassifizierung", "A", "B"),
    ("observation", "RAS", "rayure")])
def test_a_column_that_may_name_defects_in_its_own_words_is_asked_about(tmp_path, name, good, bad):
    fill(tmp_path, 10, 0)
    (tmp_path / "t.csv").write_text(f"file,{name}\n" + "".join(
        f"{number:03d}.png,{bad if number in (3, 7) else good}\n" for number in range(10)))
    with pytest.raises(DataError, match=f"'{name}' holds .*is it the label"):
        read_source(tmp_path / "t.csv")


@pytest.mark.parametrize("name, values", [
    ("camera", ["left", "right"]), ("lot", ["A7", "A8"]), ("serial", [f"s{n}" for n in range(10)])])
def test_circumstances_are_no_labels(tmp_path, name, values):
    fill(tmp_path, 10, 0)
    (tmp_path / "t.csv").write_text(f"file,{name}\n" + "".join(
        f"{number:03d}.png,{values[number % len(values)]}\n" for number in range(10)))
    assert all(not record.label for record in read_source(tmp_path / "t.csv").records)


@pytest.mark.parametrize("value", ["OK?", "!ok", "≠OK", "-good", "~OK", "good?"])
def test_words_with_a_doubt_are_not_understood(tmp_path, value):
    fill(tmp_path, 4, 0)
    (tmp_path / "t.csv").write_text(
        f"file,label\n000.png,ok\n001.png,ok\n002.png,nok\n003.png,{value}\n")
    with pytest.raises(DataError, match="which of them is good"):
        read_source(tmp_path / "t.csv")


def test_bare_names_count_with_the_folder_that_they_are_found_in(tmp_path):
    fill(tmp_path / "nok", 4, 0)
    (tmp_path / "t.csv").write_text("filename\n" + "".join(f"{n:03d}.png\n" for n in range(4)))
    with pytest.raises(DataError, match="by their paths 4 of 4 may be defects"):
        read_source(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["scratch", "crack", "Dents"])
def test_one_column_a_kind_must_not_say_the_opposite(tmp_path, name):
    fill(tmp_path, 4, 0)
    (tmp_path / "t.csv").write_text(
        f"filename,good,{name}\n000.png,1,0\n001.png,1,0\n002.png,1,1\n003.png,0,1\n")
    with pytest.raises(DataError, match="says the opposite of the label in 1 rows"):
        read_source(tmp_path / "t.csv")
