"""The page on which a person drops a picture: one file, no framework, nothing from elsewhere."""

from collections.abc import Sequence

from hdm.drawing.html import style, template
from hdm.serving.serving_options import Options


def page(line: str, lines: Sequence[str], options: Options, nonce: str, back: str = "") -> str:
    """HTML of a line's page, or of the list of lines where `line` is "".

    nonce: of the content security policy that goes with it. back: address of the page that led
    here, "" if there is none.
    """
    return template("hdm.serving", "upload_page.html.j2").render(
        line=line, lines=sorted(lines), nonce=nonce, locked=options.api_key is not None, back=back,
        megabytes=f"{options.max_bytes / 2**20:.3g}")


def region_page(line: str, locked: bool, nonce: str) -> str:
    """HTML of the page on which a line's region is drawn. locked: it asks for the key."""
    return template("hdm.serving", "region_page.html.j2").render(
        line=line, nonce=nonce, locked=locked, style=style())
