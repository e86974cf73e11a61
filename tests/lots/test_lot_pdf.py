"""The report of a lot: what is read in it, whatever the names are."""

from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from hdm.lots.lot_figures import Lot
from hdm.lots.lot_pdf import write_report
from hdm.lots.lot_results import Judged

PROMISE = "Promised are false alarms on at most 5 % of good parts, by 21 held-out good parts."


def made(tmp_path: Path, pictures: list[Judged], name: str = "A7", shown: int = 200) -> PdfReader:
    target = tmp_path / "report.pdf"
    versions = dict.fromkeys(one.version for one in pictures)
    write_report(Lot("plates", name, tuple(pictures)), "Cover plates",
                 dict.fromkeys(versions, PROMISE),
                 {tmp_path / "results.csv": "ab" * 32}, target, shown)
    return PdfReader(target)


def text(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def defect(number: int, name: str = "", **more) -> Judged:
    return Judged(number, name or f"{number}.png", "defect", "3", 2.5, 1.5, "4 x 5 px at 1, 2",
                  time="2026-10-01T18:46:00Z", **more)


def test_the_first_page_has_what_is_signed(tmp_path) -> None:
    pictures = [Judged(1, "a.png", "good", "3", 0.5, 1.5, part="P1", time="2026-10-01T18:00:00Z"),
                defect(2, "b.png", part="P2"),
                Judged(3, "c.png", "undecidable", "3", 0.7, 1.5, reason="It is too dark.")]
    reader = made(tmp_path, pictures)
    first = " ".join(reader.pages[0].extract_text().split())
    for said in ("Lot A7", "plates", "Cover plates", "2026-10-01 18:00:00 to 2026-10-01 18:46:00",
                 "pictures 1 1 1 3", "parts 1 1 0 2", "Of 1 pictures the part is not known",
                 "3 3 2 1.5", PROMISE, "released", "blocked", "signature", "ab" * 32,
                 "page 1 of 2"):
        assert said in first, said
    second = " ".join(reader.pages[1].extract_text().split())
    assert "Not good: 2 pictures" in second
    assert "2 b.png P2 2026-10-01 18:46:00 2.50 4 x 5 px at 1, 2" in second
    assert "undecidable: It is too dark." in second
    assert "Of 2 of these no picture follows" in second


def test_a_lot_without_defects_is_one_page(tmp_path) -> None:
    assert len(made(tmp_path, [Judged(1, "a.png", "good", "3")]).pages) == 1


def test_pictures_that_are_not_good_are_shown_with_the_highest_score_first(tmp_path) -> None:
    for number in range(1, 14):
        Image.new("RGB", (90, 120), (number * 9, 60, 60)).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_text("damaged meanwhile")
    reader = made(tmp_path, [
        Judged(number, f"{number}.png", "defect", "3", float(number), 0.5,
               overlay=tmp_path / f"{number}.png") for number in range(1, 15)], shown=12)
    assert sum(len(page.images) for page in reader.pages) == 11, "14 was deleted meanwhile"
    shown = text(reader).split("Pictures, highest score first")[1]
    assert shown.index("no. 13 ") < shown.index("no. 12 ") and "no. 2 " not in shown
    assert "Of 3 of these no picture follows" in text(reader)


def test_many_rows_go_over_many_pages_with_their_head(tmp_path) -> None:
    reader = made(tmp_path, [defect(number) for number in range(1, 301)])
    assert len(reader.pages) > 5
    for page in reader.pages[1:]:
        assert "picture" in page.extract_text().splitlines()[0] or "Not good" in page.extract_text()
    said = text(reader)
    assert all(f" {number}.png" in said for number in range(1, 301))


@pytest.mark.parametrize(("name", "shown"), [
    ("weiß Ω Ж.png", "weiß Ω Ж.png"), ("**bold** <b>&amp;</b>.png", "**bold** <b>&amp;</b>.png"),
    ("\x1b[31mred\u202egnp.exe", r"\x1b[31mred\u202egnp.exe"), ("薄板.png", r"\u8584\u677f.png"),
    ("a\nb\tc.png", "a b c.png"), ("{nb} (x) \\ %PDF.png", r"(x) \ %PDF.png"),
    ("\ud800.png", r"\ud800.png")])
def test_any_name_is_shown_and_harmless(tmp_path, name, shown) -> None:
    reader = made(tmp_path, [defect(1, name)], name)
    assert shown in text(reader)
    assert not reader.pages[1].annotations


def test_endless_names_are_cut_and_fit_their_page(tmp_path) -> None:
    reader = made(tmp_path, [defect(1, "x" * 5000 + ".png", part="P" * 5000)], "L" * 5000)
    assert len(reader.pages) == 2
    assert ".png" in text(reader) and "…" in text(reader)
