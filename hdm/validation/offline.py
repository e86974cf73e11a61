"""Make a page of great_expectations readable without a network, and equal for equal data.

The pages load their style and their scripts from servers elsewhere and carry random ids and the
time of day. Here the markup is kept, and everything of that kind is left out.
"""

import re
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}
_DROPPED_TAGS = {"script", "style", "link", "title", "footer", "meta", "img"}
# The filter buttons need scripts; the suite's status knows no severities.
_DROPPED_CLASSES = {"navbar-expand-md", "btn-group", "mb-3", "mb-4"}
_DROPPED_IDS = {"section-1-content-block-1-subheader"}
_COLLAPSED = re.compile(r"-parent$")
_WARNING_CROSS = re.compile(r'text-danger("(?:(?!<i\b).)*?\[warning\])', re.DOTALL)


def offline_body(page: str) -> str:
    """The content of the page's <body>, without scripts, styles, pictures and outside links."""
    parser = _Body()
    parser.feed(page)
    parser.close()
    body = re.sub(r"\s*\n\s*", "\n", "".join(parser.kept)).strip()
    return _WARNING_CROSS.sub(r"text-warning\1", body)


class _Body(HTMLParser):
    """Copies tags and text through, except for the subtrees that are not wanted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._inside = False
        self._dropping: str | None = None
        self._depth = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self._dropping:
            self._depth += tag == self._dropping
        elif tag == "body":
            self._inside = True
        elif _unwanted(tag, dict(attributes)):
            if tag not in _VOID:
                self._dropping, self._depth = tag, 1
        else:
            self._keep(_local(tag, dict(attributes), self.get_starttag_text() or ""))

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            self._depth -= tag == self._dropping
            if not self._depth:
                self._dropping = None
        elif tag == "body":
            self._inside = False
        else:
            self._keep(f"</{tag}>")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if not self._dropping and not _unwanted(tag, dict(attributes)):
            self._keep(self.get_starttag_text() or "")

    def handle_data(self, data: str) -> None:
        self._keep(data)

    def handle_entityref(self, name: str) -> None:
        self._keep(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._keep(f"&#{name};")

    def _keep(self, text: str) -> None:
        if self._inside and not self._dropping:
            self.kept.append(text)


def _unwanted(tag: str, attributes: dict[str, str | None]) -> bool:
    identity = attributes.get("id") or ""
    classes = set((attributes.get("class") or "").split())
    return (tag in _DROPPED_TAGS or identity in _DROPPED_IDS or bool(classes & _DROPPED_CLASSES)
            or bool(_COLLAPSED.search(identity)))


def _local(tag: str, attributes: dict[str, str | None], text: str) -> str:
    """The start tag `text`, its link replaced where that leads out of the page."""
    target = attributes.get("href") or ""
    if tag != "a" or target.startswith("#"):
        return text
    return '<a href="expectations.html">' if "/expectations/" in target else "<a>"
