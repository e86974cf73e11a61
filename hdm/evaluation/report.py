"""One self-contained HTML page about one evaluation: plain content in, text out."""

import base64
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup


@dataclass(frozen=True)
class Figure:
    """A headline number: its value and interval as text, and one sentence on what it means."""

    label: str
    value: str
    interval: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """Cells as text; columns after the first are numbers and stand right-aligned."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """An inline SVG from hdm.evaluation.svg."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True)
class Picture:
    """A PNG with its caption."""

    png: bytes
    name: str
    verdict: str
    wrong: bool


@dataclass(frozen=True)
class Gallery:
    """Pictures of one outcome or defect type; `empty` is said where there are none."""

    title: str
    note: str
    pictures: tuple[Picture, ...]
    empty: str = ""


@dataclass(frozen=True)
class ReportContent:
    """All that the page says. Tables and texts that are not known are left empty."""

    line: str
    description: str
    status: Literal["good", "warn", "neutral"]
    verdict: str
    figures: tuple[Figure, ...]
    by_type: Table | None
    confusion: Table
    threshold: tuple[str, ...]
    charts: tuple[Chart, ...]
    outcomes: tuple[Gallery, ...]
    kinds: tuple[Gallery, ...]
    colour_bar: bytes
    data: tuple[Table, ...] = ()
    remarks: tuple[str, ...] = ()
    configuration: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=())


def render(content: ReportContent) -> str:
    """The page: styles, charts and pictures inside, no script, nothing from a network."""
    return _template().render(page=content, style=style())


def style() -> Markup:
    """The style sheet that all pages share: light and dark, on paper and on a phone."""
    source = files("hdm.evaluation") / "style.css"
    return Markup(source.read_text(encoding="utf-8"))


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)
    environment.filters["data_uri"] = _data_uri
    environment.filters["drawn"] = Markup  # charts are our own SVG
    source = files("hdm.evaluation") / "report.html.j2"
    return environment.from_string(source.read_text(encoding="utf-8"))


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
