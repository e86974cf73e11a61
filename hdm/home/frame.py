"""Home's pages: one frame around all of them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi.responses import HTMLResponse

from hdm.drawing.html import script, style, template
from hdm.serving.secured_page import secured

TABS = {"": "Overview", "pictures": "Test pictures", "compare": "Compare", "threshold": "Threshold",
        "seen": "Seen lately", "inbox": "Inbox"}
"""Pages of a line: the end of their address, and their title."""
PACKAGE = "hdm.home"


def framed(name: str, line: str = "", tab: str = "", status: int = HTTPStatus.OK, **content: Any,
           ) -> HTMLResponse:
    """A page of Home. name: its template's file. line, tab: where it is, "" on pages of no line."""
    return secured(_rendered(name, line, tab, content), status, illustrated=True)


def problem_page(sentence: str, status: int) -> HTMLResponse:
    """A page that says what is wrong."""
    return framed("problem.html.j2", status=status, sentence=sentence)


def _rendered(name: str, line: str, tab: str, content: dict[str, Any]) -> Callable[[str], str]:
    def page(nonce: str) -> str:
        return template(PACKAGE, name).render(
            nonce=nonce, style=style(), own_style=style(PACKAGE, "home.css"),
            script=script(PACKAGE, "home.js"), line=line, tab=tab, tabs=TABS, **content)

    return page
