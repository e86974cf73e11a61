"""Tables of `hdm watch` and `hdm predict`, read for a report; and a lot in figures."""

import csv
from pathlib import Path

import pytest

from hdm.errors import DataError
from hdm.lots.lot_figures import lot_of
from hdm.lots.lot_results import Judged, read_results, results_in
from hdm.watching.results_file import ResultsFile

PREDICT = ("path", "model_version", "score", "p_value", "probability", "decision", "threshold",
           "reasons", "heatmap", "overlay", "error", "regions")


def watched(folder: Path, *rows: dict) -> Path:
    file = folder / "results.csv"
    ResultsFile(file, "plates").append([
        {"number": number, "line": "plates", "bytes": 1, "modified_ns": 1, "sha256": str(number),
         "time": f"2026-10-01T18:46:{number:02d}Z", **row} for number, row in enumerate(rows, 1)])
    return file


def predicted(folder: Path, *rows: dict) -> Path:
    file = folder / "predictions.csv"
    with file.open("w", newline="") as stream:
        table = csv.DictWriter(stream, PREDICT)
        table.writeheader()
        table.writerows(rows)
    return file


def nobody(name: str) -> None:
    return None


def test_rows_of_a_watched_folder(tmp_path) -> None:
    (tmp_path / "overlays").mkdir()
    file = watched(tmp_path, {"path": "a.png", "decision": "defect", "score": 2.5, "lot": "A7",
                              "threshold": 1.5, "places": "4 x 5 px at 1, 2", "part": "P1",
                              "model_version": "3", "overlay": "overlays/00001_a.png"},
                   {"path": "=b.png", "error": "b.png: expected a PNG"})
    first, second = read_results(file, "plates", nobody, "B8")
    assert second.lot == "", "this table knows lots"
    assert first == Judged(1, "a.png", "defect", "3", 2.5, 1.5, "4 x 5 px at 1, 2", "", "P1",
                           "2026-10-01T18:46:01Z", "A7", tmp_path / "overlays/00001_a.png")
    assert (second.name, second.decision, second.reason) == (
        "=b.png", "unreadable", "b.png: expected a PNG")
    assert results_in(tmp_path) == results_in(file) == file


def test_rows_of_predictions_have_their_places_and_parts(tmp_path) -> None:
    file = predicted(tmp_path, {"path": "x/P1_a.png", "decision": "defect", "score": "2.5"},
                     {"path": "x/b.png", "decision": "good", "score": "nan"})
    (tmp_path / "regions.csv").write_text(
        "path,left,top,width,height\nx/P1_a.png,1,2,4,5\nx/P1_a.png,7,8,3,3\nx/P1_a.png,?,8,3,3\n")
    first, second = read_results(file, "plates", lambda name: "P1" if "P1" in name else None)
    assert first.place == "4 x 5 px at 1, 2; 3 x 3 px at 7, 8"
    assert (first.part, second.part, second.score, second.time) == ("P1", "", None, "")
    assert {one.lot for one in read_results(file, "plates", nobody, "A7")} == {"A7"}


@pytest.mark.parametrize("cell", ["../secret.png", "/etc/passwd", "overlays/../../secret.png"])
def test_no_cell_shows_a_picture_from_elsewhere(tmp_path, cell) -> None:
    folder = tmp_path / "watch"
    folder.mkdir()
    (tmp_path / "secret.png").touch()
    [one] = read_results(watched(folder, {"path": "a.png", "decision": "defect", "overlay": cell}),
                         "plates", nobody)
    assert one.overlay is None


@pytest.mark.parametrize(("content", "said"), [
    ("a,b\n1,2\n", "expected the columns path, model_version"), ("", "expected the columns"),
    (",".join(PREDICT) + "\na.png,3,much,,,defect,,,,,,\n", "row 1 is none of"),
    (",".join(PREDICT) + "\na.png,3,1,,,perhaps,,,,,,\n", "found 'perhaps'")])
def test_other_tables_are_one_sentence(tmp_path, content, said) -> None:
    (tmp_path / "predictions.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        read_results(tmp_path / "predictions.csv", "plates", nobody)


def test_results_of_another_line_are_refused(tmp_path) -> None:
    file = watched(tmp_path, {"path": "a.png", "decision": "good"})
    with pytest.raises(DataError, match="holds results of plates, not of meshes"):
        read_results(file, "meshes", nobody)
    with pytest.raises(DataError, match=r"expected results.csv of `hdm watch`"):
        results_in(tmp_path / "elsewhere")


def one(number: int, decision: str, part: str = "", lot: str = "A7", **more: str) -> Judged:
    return Judged(number, f"{number}.png", decision, "3", part=part, lot=lot, **more)


def test_a_part_counts_by_the_worst_of_its_pictures() -> None:
    lot = lot_of("plates", [one(1, "good", "P1"), one(2, "defect", "P1"), one(3, "good", "P2"),
                            one(4, "undecidable", "P2"), one(5, "unreadable", "P2"),
                            one(6, "good", "P3"), one(7, "good")], "A7")
    assert lot.counts() == {"good": 4, "defect": 1, "undecidable": 1, "unreadable": 1}
    assert lot.parts() == {"good": 1, "defect": 1, "undecidable": 1, "unreadable": 0}
    assert [picture.number for picture in lot.not_good] == [2, 4, 5]
    assert lot_of("plates", [one(1, "good")], None).parts() is None


def test_a_lot_is_chosen_by_its_name() -> None:
    pictures = [one(1, "good", time="2026-10-02T08:00:00Z"), one(2, "good", lot="B8"),
                one(3, "good", time="2026-10-01T08:00:00Z"), one(4, "good", lot="")]
    lot = lot_of("plates", pictures, "A7")
    assert [picture.number for picture in lot.pictures] == [1, 3]
    assert lot.span == ("2026-10-01T08:00:00Z", "2026-10-02T08:00:00Z")
    assert lot_of("plates", pictures, None).name == "A7, B8, pictures of no named lot"
    assert lot_of("plates", pictures[3:], None).name == ""
    assert lot_of("plates", pictures, "B8").span is None
    with pytest.raises(DataError, match="lot 'C9', found none; there are: A7, B8"):
        lot_of("plates", pictures, "C9")
    with pytest.raises(DataError, match="no picture has a lot's name"):
        lot_of("plates", pictures[3:], "C9")
    with pytest.raises(DataError, match="judge some with `hdm watch` first"):
        lot_of("plates", [], None)
