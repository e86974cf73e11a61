"""Label columns of tables: every usual name and word, and a question where two answers fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import write

from hdm.errors import DataError
from hdm.ingest.readers import read_source
from hdm.ingest.readers.label_values import Column, understand
from hdm.pipelines import Source

GOOD = ["ok", "GOOD", "Pass", "passed", "0", "false", "no", "normal", "i.O.", "IO", "gut",
        "conforming", "0.0", "0,0"]
BAD = ["nok", "NG", "bad", "FAIL", "reject", "defect", "1", "true", "yes", "anomaly", "n.i.O.",
       "nio", "schlecht", "1.0", "1,0"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("labels")
    for folder in ("", "good", "dent", "other", "data/ok"):
        for name in "abcdefg":
            write(root / folder / f"{name}.png", np.full((8, 8), 9, np.uint8))
    return root


def table(root, header, *rows, paths="abcdefg"):
    file = root / "t.csv"
    lines = [f"path;{header}", *(f"{path}.png;{row}"
                                 for path, row in zip(paths, rows, strict=False))]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def kinds(file, **columns):
    found = read_source(file, Source(path=str(file), columns=columns)).records
    return [r.defect_type for r in sorted(found, key=lambda r: r.path)]


def question(file, **columns):
    with pytest.raises(DataError) as caught:
        kinds(file, **columns)
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?"))
    return message


@pytest.mark.parametrize("good", GOOD)
@pytest.mark.parametrize("name", ["is_anomaly", "Defective", "fehler"])
def test_words_for_good_where_a_defect_is_asked_for(root, name, good):
    assert kinds(table(root, name, good, "nok", good)) == ["good", "defect", "good"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["is_anomaly", "NOK", "Is Defect"])
def test_words_for_bad_where_a_defect_is_asked_for(root, name, bad):
    assert kinds(table(root, name, "ok", bad)) == ["good", "defect"]


@pytest.mark.parametrize("name", ["ok", "good", "PASS", "is_good", "quality_ok", "i.O."])
@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("true", "FALSE"), ("ja", "nein")])
def test_polarity_of_columns_that_ask_for_good(root, name, yes, no):
    assert kinds(table(root, name, yes, yes, no)) == ["good", "good", "defect"]


@pytest.mark.parametrize("name", ["label", "class", "target", "y", "Label"])
@pytest.mark.parametrize(("zero", "one"), [("0", "1"), ("0.0", "1.0"), ("False", "True")])
def test_numbers_by_custom(root, name, zero, one):
    assert kinds(table(root, name, zero, zero, one)) == ["good", "good", "defect"]


@pytest.mark.parametrize("name", ["label", "Class", "type", "category", "result", "verdict",
                                  "OK/NOK", "status", "judgement", "Klasse", "defect_type",
                                  "defect", "quality"])
@pytest.mark.parametrize("good", ["good", "OK", "i.O."])
def test_other_words_are_kinds_where_one_is_good(root, name, good):
    assert kinds(table(root, name, good, "dent", "Dent", "dent", "NG")) == \
        ["good", "dent", "dent", "dent", "defect"]


@pytest.mark.parametrize(("name", "values"), [
    ("label", ("A", "B", "B")), ("class", ("0", "1", "2")), ("label", ("1", "-1", "1")),
    ("result", ("1", "0", "0")), ("status", ("yes", "no", "no")), ("type", ("dent", "scratch")),
    ("grade", ("A", "good", "3"))])
def test_values_that_are_not_understood_are_asked_about(root, name, values):
    message = question(table(root, name, *values))
    assert f"the column {name!r} holds" in message and "which of them is good?" in message
    assert all(repr(value) in message for value in values)


@pytest.mark.parametrize("name", ["label", "target", "y"])
def test_many_ones_and_few_zeros_are_asked_about(root, name):
    file = table(root, name, "1", "1", "1", "1", "0")
    assert f"the column {name!r} says 1 in 4 rows and 0 in 1" in question(file)
    assert kinds(file, is_good=name) == ["good"] * 4 + ["defect"]
    assert kinds(file, is_defect=name) == ["defect"] * 4 + ["good"]


@pytest.mark.parametrize(("header", "rows", "expected"), [
    ("label;class", ("0;good", "1;dent"), ["good", "dent"]),
    ("is_anomaly;type", ("0;", "1;scratch"), ["good", "scratch"]),
    ("ok;defect_type", ("1;none", "0;dent", "0;"), ["good", "dent", "defect"]),
    ("label;class;target", ("ok;good;0", "nok;dent;1"), ["good", "dent"]),
    ("defect;label", ("0;0", "1;3"), ["good", "3"]),
    ("label;category", ("0;metal", "1;metal", "0;wood"), ["good", "defect", "good"])])
def test_columns_that_agree_are_one(root, header, rows, expected):
    assert kinds(table(root, header, *rows)) == expected


@pytest.mark.parametrize(("header", "rows"), [
    ("label;class", ("0;good", "0;dent", "1;dent")), ("ok;nok", ("1;1", "0;1")),
    ("is_anomaly;defect_type", ("0;dent", "1;dent")), ("label;target", ("0;1", "1;0"))])
def test_columns_that_disagree_are_named_with_their_rows(root, header, rows):
    message = question(table(root, header, *rows))
    assert "row 2" in message or "row 3" in message
    assert all(repr(name) in message for name in header.split(";")) or "names a defect" in message


@pytest.mark.parametrize("empty", ["", "NaN", "n/a", "unknown", "?", "TODO"])
@pytest.mark.parametrize("name", ["label", "ok", "defect_type"])
def test_missing_labels_are_named(root, name, empty):
    assert "1 of 3 rows have no label, where others have one (row 4, c.png)" in \
        question(table(root, name, "good", "nok", empty))


@pytest.mark.parametrize("values", [("good", "dent"), ("ok", "nok"), ("0", "1"), ("yes", "no"),
                                    ("normal", "NG")])
def test_an_unknown_column_that_looks_like_a_label_is_asked_about(root, values):
    file = table(root, "Befund", *values)
    message = question(file)
    assert "'Befund' holds" in message and "{label: Befund}" in message
    assert kinds(file, label="") == ["good", "good"]


@pytest.mark.parametrize("values", [("7", "9"), ("north", "south"), ("good", "good"), ("", "")])
def test_other_columns_are_left_alone(root, values):
    assert kinds(table(root, "Kamera", *values)) == ["good", "good"]


@pytest.mark.parametrize("paths", [("good/a", "dent/b"), ("a", "dent/b"), ("good/a", "other/b"),
                                   ("good/a", "data/ok/b", "b")])
def test_folders_that_tell_of_defects_are_asked_about(root, paths):
    file = table(root, "camera", "7", "7", "7", paths=paths)
    assert "may be defects" in question(file)
    assert set(kinds(file, label="")) == {"good"}


def test_folders_of_good_images_alone_are_good(root):
    assert kinds(table(root, "camera", "7", "7", paths=("good/a", "data/ok/b"))) == ["good"] * 2


@pytest.mark.parametrize(("name", "values"), [("label", ("1", "0")), ("label", ("nok", "ok")),
                                              ("is_good", ("0", "1"))])
def test_folders_that_say_the_opposite_are_asked_about(root, name, values):
    file = table(root, name, *values, paths=("good/a", "dent/b"))
    assert "the folder says the opposite of the label in 2 rows (row 2, good/a.png" in \
        question(file)
    assert kinds(file, **{name: name}) == ["good", "defect"]  # dent/b, good/a


def test_an_unread_column_that_says_the_opposite_is_asked_about(root):
    message = question(table(root, "label;Befund", "0;ok", "0;nok", "1;nok"))
    assert "'Befund', which is not read, says the opposite of the label in 1 rows (row 3" in message


WORDS = st.sampled_from([*GOOD, *BAD, "dent", "scratch", "", "nan", "2", "?", "none", "maybe"])


@given(st.lists(WORDS, min_size=1, max_size=6),
       st.sampled_from(["label", "is_good", "is_defect", "defect_type"]))
def test_a_word_for_bad_is_never_good(cells, role):
    read = understand(Column("column", role, tuple(cells)))
    for cell, kind in zip(cells, read or [], strict=read is not None):
        if cell.casefold() in ("nok", "ng", "bad", "fail", "reject", "defect", "anomaly", "n.i.o.",
                               "nio", "schlecht", "dent", "scratch", "maybe"):
            assert kind not in ("good", None)


@given(st.lists(st.sampled_from(["0", "1"]), min_size=1, max_size=8))
def test_polarity_is_turned_by_the_column_alone(cells):
    good = understand(Column("x", "is_good", tuple(cells)))
    bad = understand(Column("x", "is_defect", tuple(cells)))
    assert [kind == "good" for kind in good] == [kind != "good" for kind in bad]
