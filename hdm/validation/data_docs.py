"""Data Docs: what great_expectations wrote about one run, headed by the line's verdict."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from hdm.drawing.html import style, template
from hdm.validation.offline import offline_body
from hdm.validation.verdict import Verdict

RESULTS_PAGE = "index.html"
SUITE_PAGE = "expectations.html"


def publish_docs(site: Path, target: Path, verdict: Verdict, name: str, notes: Sequence[str] = (),
                 pictures: Mapping[str, str] | None = None) -> Path:
    """Turn great_expectations' own `site` into two pages in the folder `target`.

    index.html tells the verdict and the `notes` of ingest, names every offending image, with the
    `pictures` (data URIs by path) that there are, and shows the results;
    expectations.html shows the suite. Both are self-contained, read well without a network and
    do not depend on the time or on chance. Returns the path of index.html.
    """
    target.mkdir(parents=True, exist_ok=True)
    page = template("hdm.validation", "docs.html.j2")
    look = style("hdm.validation", "docs.css")
    for file, folder in ((RESULTS_PAGE, "validations"), (SUITE_PAGE, "expectations")):
        (written,) = (site / folder).rglob("*.html")
        content = Markup(offline_body(written.read_text(encoding="utf-8")))
        text = page.render(name=name, verdict=verdict, style=look, content=content,
                           notes=notes, pictures=pictures or {}, results_page=RESULTS_PAGE,
                           suite_page=SUITE_PAGE, is_results=file == RESULTS_PAGE)
        (target / file).write_text(text, encoding="utf-8")
    return target / RESULTS_PAGE
