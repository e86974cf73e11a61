"""One self-contained HTML page about a line in service: content in, text out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hdm.drawing.html import style, template
from hdm.drawing.svg import DEFECT, GOOD, svg
from hdm.evaluation.detection import DETECTION_COLUMNS, Detection, detection_rows
from hdm.evaluation.percent import MISSING


class VersionRow(NamedTuple):
    """A model version as the table shows it; AUROCs are fractions, `live` are spans of time.

    detection: what it stops at its operating point, None where that is not known.
    """

    version: int
    made: str
    decision: str
    reasons: tuple[str, ...]
    aliases: tuple[str, ...]
    image_auroc: float | None
    pixel_auroc: float | None
    live: tuple[str, ...]
    detection: Detection | None = None


class Sheet(NamedTuple):
    """Heat maps of one outcome or defect type, as PNG."""

    title: str
    png: bytes


@dataclass(frozen=True)
class Page:
    """Everything on the page. monitor: status.json of the last look for drift. decisions: entries
    of the line's log, newest first. aurocs: image AUROC of the champion by defect type."""

    line: str
    description: str
    owner: str
    champion: VersionRow | None
    versions: tuple[VersionRow, ...]
    sheets: tuple[Sheet, ...]
    sheets_problem: str
    monitor: dict[str, Any]
    decisions: tuple[dict[str, Any], ...]
    aurocs: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Colour of the first sentences: that of a good line only where no defect escapes."""
        told = self.champion.detection if self.champion else None
        if not self.champion or self.monitor.get("state") == "drift":
            return "warn"
        if told is None or not told.defects.parts:
            return "neutral"
        escapes = told.defects.passed
        return "warn" if escapes > told.defects.parts_stopped else "neutral" if escapes else "good"

    @property
    def stopped(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Rows of what the champion stops, each with its colour: 'right', 'wrong' or nothing."""
        told = self.champion.detection if self.champion else None
        if not self.champion or told is None:
            return ()
        mistakes = [*(kind.passed for kind in told.types), told.defects.passed,
                    told.good.parts_stopped]
        rows = detection_rows(told, self.aurocs, self.champion.image_auroc)
        return tuple((row, "" if row[2] == MISSING else "wrong" if wrong else "right")
                     for row, wrong in zip(rows, mistakes, strict=True))


def render(page: Page) -> str:
    """The page: styles, chart and pictures inside, no script, nothing from a network."""
    return template("hdm.monitoring", "line_page.html.j2").render(
        page=page, style=style(), chart=versions_chart(page.versions), auroc=auroc_text,
        columns=DETECTION_COLUMNS, trends="../monitor/index.html")


def versions_chart(rows: tuple[VersionRow, ...]) -> str:
    """AUROC by version, oldest first; empty where there is nothing to join by a line."""
    ordered = sorted(rows)
    if len(ordered) < 2:
        return ""

    def draw(axes: Any) -> None:
        for name, colour, marker in (("image_auroc", GOOD, "o"), ("pixel_auroc", DEFECT, "s")):
            points = [(row.version, getattr(row, name)) for row in ordered
                      if getattr(row, name) is not None]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=5,
                          label=name.replace("_auroc", " AUROC"), clip_on=False)
        axes.set(xlabel="version", ylabel="on the test set of its time")
        axes.set_xticks([row.version for row in ordered][-20:])
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)

    return svg("versions", "AUROC of each version", draw)


def auroc_text(value: float | None) -> str:
    """To three digits."""
    return "–" if value is None else f"{value:.3f}"
