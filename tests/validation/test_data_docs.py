"""Data Docs: the offending files are named, and nothing is needed from a network."""

import re

import pytest

from hdm.settings import Validate
from hdm.validation.offline import offline_body


def test_offline_body_keeps_content_and_drops_what_comes_from_elsewhere():
    page = """<!DOCTYPE html><html><head><title>t</title><script src="https://x/y.js"></script>
    <link rel="stylesheet" href="https://x/y.css"></head><body>
    <nav class="navbar navbar-expand-md"><nav>inner</nav><a href="../i.html">Home</a></nav>
    <script>if (1 < 2) { alert("</div>") }</script>
    <div id="a-parent"><div id=collapse-1f>12:00</div></div>
    <p>kept &amp; &#233; <a href="../../expectations/l.html">suite</a>
    <a href="https://x">out</a> <a href="#s">in</a><br/></p>
    <footer><p>newsletter</p></footer></body></html>"""
    body = offline_body(page)
    assert body.replace("\n", " ") == (
        '<p>kept &amp; &#233; <a href="expectations.html">suite</a> '
        '<a>out</a> <a href="#s">in</a><br/></p>')


def test_the_cross_of_a_warning_becomes_a_warning_sign():
    cross = '<body><i class="fas fa-times text-danger"></i><b>[{}] x</b>'
    page = cross.format("critical") + cross.format("warning")
    assert re.findall(r"text-(\w+)", offline_body(page)) == ["danger", "warning"]


@pytest.fixture
def publish(tmp_path):
    """Validate and publish; returns the verdict and the folder of the pages."""
    from hdm.validation.data_docs import publish_docs
    from hdm.validation.verdict import validate

    def publish(line, attempt="one"):
        site, target = tmp_path / attempt / "site", tmp_path / attempt / "docs"
        verdict = validate(line.manifest(), Validate(), name="line-1", site=site)
        assert publish_docs(site, target, verdict, "line-1") == target / "index.html"
        return verdict, target

    return publish


def spoil(line):
    (line.root / "test/good/000.png").write_bytes(b"")
    for index in range(24):
        line.put(f"train/good/<i>{index}.png", "train", line.pixels(16, 16))


def test_pages_of_a_bad_line_name_every_offending_image(crafted, publish):
    spoil(crafted)
    verdict, docs = publish(crafted)
    assert {f.expectation for f in verdict.critical} == {"decodable", "size"}
    page = (docs / "index.html").read_text(encoding="utf-8")
    assert "The line stops here" in page
    assert "test/good/000.png" in page and "an empty file" in page
    assert all(f"train/good/&lt;i&gt;{index}.png" in page for index in range(24))
    assert "<i>0.png" not in page
    assert "[critical] Every image can be decoded in full." in page


def test_pages_of_a_good_line_say_so(crafted, publish):
    _, docs = publish(crafted)
    page = (docs / "index.html").read_text(encoding="utf-8")
    assert "The data may be trained on" in page
    assert "<article" not in page
    assert 'text-danger"' not in page and page.count('fa-check-circle text-success"') == 25


def test_pages_need_no_network_and_no_other_file(crafted, publish):
    spoil(crafted)
    _, docs = publish(crafted)
    assert sorted(file.name for file in docs.rglob("*")) == ["expectations.html", "index.html"]
    for file in docs.iterdir():
        page = file.read_text(encoding="utf-8")
        assert not re.search(r"https?:|//[a-z]|<script|<link|<img|@import|url\(|onclick", page)
        assert set(re.findall(r'href="([^#"][^"]*)"', page)) <= {
            "index.html", "expectations.html"}
        anchors = set(re.findall(r'href="#([^"]*)"', page))
        assert anchors and anchors <= set(re.findall(r'id="([^"]*)"', page))


def test_the_suite_page_lists_every_expectation(crafted, publish):
    verdict, docs = publish(crafted)
    page = (docs / "expectations.html").read_text(encoding="utf-8")
    assert verdict.results
    for result in verdict.results:
        assert f"[{result.severity}] {result.promise}" in page


def test_equal_data_give_equal_pages(crafted, publish):
    spoil(crafted)
    _, first = publish(crafted, "one")
    _, second = publish(crafted, "two")
    for name in ("index.html", "expectations.html"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
