"""The page: complete, self-contained, safe, the same for the same input."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from hdm.evaluation.evaluation import evaluate
from hdm.report.content import Background, build, draw
from hdm.report.page import render
from hdm.report.wording import ThresholdFacts


def background(**extra):
    return Background(**{
        "line": "woven_mesh", "description": "Woven <filter> mesh",
        "threshold": ThresholdFacts(0.05, 60, 1 / 61, True),
        "operating_curve": pd.DataFrame({
            "threshold": [0.1, 0.2], "false_alarm_rate": [0.5, 0.1], "escape_rate": [0.0, 0.2],
            "cost": [1.0, 0.5]}),
        "configuration": {"seed": 7, "image": {"size": 128}},
        "facts": (("Git commit", "0123456789abcdef"),),
        "funnel": {"candidates": 4, "reasons": {"kept": {"count": 3, "meaning": "trained on"}}},
        "split_table": {"train": {"good": 41}, "test": {"good": 4, "defect": 5}}, **extra})


def page_of(split, settings, folder, **extra):
    evaluation = evaluate(split.manifest, split.ordered(), settings)
    drawn = draw(evaluation, split.manifest, folder, 24)
    return render(build(evaluation, background(**extra), settings, drawn))


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    return tmp_path_factory.mktemp("sheets")


@pytest.fixture(scope="module")
def page(shared_split, settings, sheets):
    return page_of(shared_split, settings, sheets)


class Outline(HTMLParser):
    """Collects tags, and attributes that could reach outside the page."""

    VOID = frozenset({"meta", "img", "br", "use", "path", "rect", "link", "input"})

    def __init__(self):
        super().__init__()
        self.tags, self.references, self.ids, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.references.append(value)
            if name == "id":
                self.ids.append(value)
            assert not name.startswith("on")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def outline(page):
    parser = Outline()
    parser.feed(page)
    return parser


def test_the_page_is_self_contained(page):
    found = outline(page)
    assert "http" not in page
    assert "//" not in re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page)
    assert "@import" not in page
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(found.tags)
    assert found.references
    assert all(ref.startswith(("data:image/png;base64,", "#")) for ref in found.references)


def test_the_page_is_well_formed(page):
    found = outline(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    used = {ref[1:] for ref in found.references if ref.startswith("#")}
    assert used | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(found.ids)


def test_the_page_holds_everything(page):
    for text in ("woven_mesh", "stops 4 of 5 defective parts", "Image AUROC", "0.950",
                 "95 % interval", "By defect type", "scratch", "of these undecidable",
                 "so that at most 5 % of good parts", "60 good images", "Per-region overlap",
                 "Escapes: missed defects", "test/scratch/s2.png", "False alarms",
                 "Synthetic defects through the POM filter", "kept: trained on",
                 "Images by split", "seed: 7", "size: 128", "0123456789abcdef",
                 "prefers-color-scheme: dark", "@media print", 'name="viewport"'):
        assert text in page, text
    assert outline(page).tags.count("svg") == 5


def test_text_from_outside_is_escaped(page):
    assert "Woven &lt;filter&gt; mesh" in page


def test_charts_take_their_colours_from_the_page(page):
    charts = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "var(--good)" in charts
    assert "var(--defect)" in charts
    assert not re.search(r"#[0-9a-f]{6}\b(?!-)", charts)


def test_the_same_input_gives_the_same_page(page, shared_split, settings, tmp_path):
    assert page_of(shared_split, settings, tmp_path) == page


def test_a_line_without_defects_still_has_a_report(builder, settings, tmp_path):
    for n in range(3):
        builder.add(f"g{n}", "good", 0.1 * n)
    page = page_of(builder.build(), settings, tmp_path, funnel=None, split_table=None)
    assert "Not available: the test split has no defective images." in page
    assert "Escapes" not in page
    assert outline(page).tags.count("svg") == 2  # the histogram and the operating point
    assert "None: no good test image was stopped." in page


def test_a_line_without_masks_still_has_a_report(builder, settings, tmp_path):
    builder.add("a", "good", 0.1).add("b", "dent", 0.9, mask=False)
    page = page_of(builder.build(), settings, tmp_path)
    assert "Not available: no defective test image has a mask." in page
    assert "None: no defective test image was missed." in page


def test_sheets_are_written(page, sheets):
    assert sorted(file.name for file in sheets.glob("*.png")) == [
        "detected.png", "escapes.png", "false_alarms.png", "good.png", "type_dent.png",
        "type_scratch.png"]
