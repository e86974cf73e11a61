"""One self-contained HTML page about one evaluation: plain content in, text out."""

from dataclasses import dataclass, field
from typing import Literal

from hdm.drawing.html import style, template
from hdm.drawing.svg import Chart


@dataclass(frozen=True)
class Figure:
    """A headline number: its value and interval as text, and one sentence on what it means.

    verdict: 'right', 'wrong' or nothing, for its colour.
    """

    label: str
    value: str
    interval: str
    meaning: str
    verdict: str = ""


@dataclass(frozen=True)
class Table:
    """Cells as text; columns after the first are numbers and stand right-aligned.

    verdicts: 'right', 'wrong' or nothing a row, for the colour of its second cell.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    verdicts: tuple[str, ...] = ()


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
    return template("hdm.report", "report.html.j2").render(page=content, style=style())
