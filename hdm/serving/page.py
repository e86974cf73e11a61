"""The page on which a person drops a picture: one file, no framework, nothing from elsewhere."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from hdm.serving.options import Options


def page(line: str, lines: Sequence[str], options: Options, nonce: str) -> str:
    """HTML of a line's page, or of the list of lines where `line` is "".

    nonce: of the content security policy that goes with it.
    """
    return _template().render(line=line, lines=sorted(lines), nonce=nonce,
                              locked=options.api_key is not None,
                              megabytes=f"{options.max_bytes / 2**20:.3g}")


@cache
def _template() -> Template:
    files = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=files, autoescape=True, trim_blocks=True, lstrip_blocks=True,
                       undefined=StrictUndefined).get_template("page.html.j2")
