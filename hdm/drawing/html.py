"""The one HTML environment and style sheet of all pages: nothing in them comes from a network."""

import base64
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup


@cache
def template(package: str, name: str) -> Template:
    """The template file `name` of `package`; values are escaped, undefined ones are errors.

    It includes and extends others by "package:file".

    Filters: `data_uri` (PNG bytes as an address), `drawn` (our own SVG, not escaped).
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True, loader=FunctionLoader(_text))
    environment.filters["data_uri"] = data_uri
    environment.filters["drawn"] = Markup
    return environment.get_template(f"{package}:{name}")


def _text(name: str) -> str:
    package, _, file = name.partition(":")
    return (files(package) / file).read_text(encoding="utf-8")


@cache
def style(package: str = "hdm.drawing", name: str = "style.css") -> Markup:
    """A style sheet; by default the one that pages share: light, dark, on paper, on a phone."""
    return Markup(_text(f"{package}:{name}"))


@cache
def script(package: str, name: str) -> Markup:
    """A script of our own, to stand in a page."""
    return Markup(_text(f"{package}:{name}"))


def data_uri(png: bytes) -> str:
    """A PNG as the address of a picture, so that a page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
