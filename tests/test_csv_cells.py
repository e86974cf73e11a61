"""No cell runs as a formula in a spreadsheet, and what is read back is what was written."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hdm.commands.judged_row import Row
from hdm.commands.prediction_table import write_tables
from hdm.csv_cells import defused, restored, write_rows
from hdm.dataset.frozen_set import frozen_file, read_frozen, write_frozen
from hdm.dataset.test_set import Entry
from hdm.evaluation.evaluation_files import write_csv
from hdm.inbox import intake

HOSTILE = ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3+cmd", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "-x"]


@pytest.mark.parametrize("text", HOSTILE)
def test_formulas_are_texts(text) -> None:
    assert defused(text) == f"'{text}" and restored(defused(text)) == text


@pytest.mark.parametrize("cell", [-1.5, "-1.5", "+3", "-1e-3", 7, None, "a=b", "plain", "",
                                  "'quoted'"])
def test_numbers_and_plain_texts_stay(cell) -> None:
    assert defused(cell) == cell


@given(st.text(alphabet="'=+-@\t\r\nab1.;,\"", max_size=8))
@example("'=1")
@example("''-1")
@example("\r1")
@example("\t-1")
def test_what_is_written_is_read_back(text) -> None:
    stream = io.StringIO(newline="")
    write_rows(stream, [text, 1.5])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert restored(row[0]) == text and row[1] == "1.5"
    # The one apostrophe is no formula, also where a semicolon separates.
    (cells,) = csv.reader(io.StringIO(stream.getvalue(), newline=""), delimiter=";")
    first = cells[0].removesuffix(",1.5")
    assert not first.startswith(("=", "@", "\t", "\r")) and len(cells) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_every_table_that_people_open(tmp_path, name) -> None:
    write_tables([Row(name, "3", -1.5, decision="good", reasons=name, error=name)], tmp_path)
    table = pd.read_csv(tmp_path / "predictions.csv", dtype=str)
    assert list(table.loc[0, ["path", "reasons", "error", "score"]]) == [f"'{name}"] * 3 + ["-1.5"]
    write_csv(tmp_path / "by_type.csv", pd.DataFrame({"defect_type": [name], "auroc": [-0.5]}))
    with (tmp_path / "by_type.csv").open(newline="") as stream:
        assert list(csv.reader(stream))[1] == [f"'{name}", "-0.5"]
    assert next(csv.reader([intake._row(name, "reason")]))[0].startswith(("'", "1"))


@pytest.mark.parametrize("name", [*HOSTILE, "'=1"])
def test_a_frozen_set_names_its_files_again(tmp_path, name) -> None:
    entries = (Entry(name, "0" * 64, 1, "=dent", ""),)
    write_frozen(tmp_path, "spring", entries)
    assert read_frozen(frozen_file(tmp_path, "spring")).entries == entries
    assert f"\"'{name}\"" in frozen_file(tmp_path, "spring").read_bytes().decode()
