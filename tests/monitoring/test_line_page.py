"""The page about a line in service: what it says, and that it needs nothing else."""

import io
import re

import pytest
from PIL import Image

from hdm.monitoring.line_page import Page, Sheet, VersionRow, render


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, format="PNG")
    return stream.getvalue()


def row(version, decision="promote", aliases=(), live=(), image=0.9):
    return VersionRow(version, "2026-01-01 08:00", decision, (), aliases, image, None, live)


def page(**over):
    champion = row(2, aliases=("champion",), live=("2026-01-02 08:00 to now",))
    return Page(**{
        "line": "plate", "description": "Left <door> plates", "owner": "quality@example.com",
        "champion": champion, "versions": (row(3, "hold", ("challenger",)), champion, row(1)),
        "sheets": (Sheet("Escapes", png()), Sheet("Defects: dent", png())), "sheets_problem": "",
        "monitor": {"state": "steady", "sentence": "plate, version 2: no change in 500 images.",
                    "time": "2026-01-03T08:00:00Z"},
        "decisions": ({"time": "2026-01-02T08:00:00.000+00:00", "action": "promote",
                       "version": "2", "by": "Ada", "why": "better <b>"},), **over})


def test_it_says_who_serves_and_shows_everything():
    text = render(page())
    for said in ("Version 2 serves since 2026-01-02 08:00 UTC", "no change in 500 images",
                 "Left &lt;door&gt; plates", "better &lt;b&gt;", "Ada", "challenger",
                 'href="../monitor/index.html"', 'name="viewport"', "AUROC of each version"):
        assert said in text, said
    assert text.count("<img") == 2 and text.count("<svg") == 1
    assert "verdict neutral" in text  # nobody knows how many defects it stops


def test_it_needs_nothing_from_elsewhere():
    text = render(page())
    assert not re.findall(r'(?:src|href)="(?!data:|#|\.\./monitor)', text)
    assert "<script" not in text


@pytest.mark.parametrize(("over", "said"), [
    ({"champion": None, "versions": ()}, "No version serves."),
    ({"monitor": {}}, "Nobody has looked for drift yet"),
    ({"monitor": {"state": "drift", "sentence": "brighter"}}, "verdict warn"),
    ({"sheets": (), "sheets_problem": "The heat maps cannot be fetched."}, "cannot be fetched"),
    ({"decisions": ()}, "None yet.")])
def test_what_is_not_there_is_said(over, said):
    assert said in render(page(**over))


def test_one_version_makes_no_curve():
    assert "<svg" not in render(page(versions=(row(1),)))
