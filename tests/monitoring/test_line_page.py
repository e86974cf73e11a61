"""The page about a line in service: what it says, and that it needs nothing else."""

import io
import re

import pytest
from PIL import Image

from hdm.evaluation.stopped_parts import count_stopped
from hdm.monitoring.line_page import Page, Sheet, VersionRow, render


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, format="PNG")
    return stream.getvalue()


def row(version, decision="promote", aliases=(), live=(), image=0.9, detection=None):
    return VersionRow(version, "2026-01-01 08:00", decision, (), aliases, image, None, live,
                      detection)


def counted(missed, good=10):
    """Ten dents and ten cracks, of which `missed` cracks escape; one false alarm."""
    rows = [{"label": 1, "defect_type": kind, "group": f"{kind}{n}",
             "decision": "good" if kind == "crack" and n < missed else "defect"}
            for kind in ("dent", "crack") for n in range(10)]
    rows += [{"label": 0, "defect_type": "good", "group": f"g{n}",
              "decision": "good" if n else "defect"} for n in range(good)]
    return count_stopped(rows, 0.95)


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


@pytest.mark.parametrize(("missed", "status", "cracks"), [
    (0, "good", '<td class="right">100 %'), (1, "neutral", '<td class="wrong">90 %'),
    (10, "neutral", '<td class="wrong">0 %')])
def test_a_missed_defect_is_never_green(missed, status, cracks):
    text = render(page(champion=row(2, detection=counted(missed))))
    assert f"verdict {status}" in text
    assert cracks in text.split("crack</th>")[1].split("</tr>")[0]
    assert f"It stops {20 - missed} of 20 defective parts" in text
    assert ("The worst type of defect is crack" in text) is bool(missed)


def test_a_version_without_counts_says_so():
    assert "What it stops was not recorded" in render(page())


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
