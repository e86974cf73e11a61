"""One self-contained HTML page about all lines of a plant: rows in, text out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hdm.detector.operating_point import expected_cost
from hdm.drawing.html import style, template
from hdm.evaluation.percent import MISSING, fraction
from hdm.monitoring.line_page import VersionRow

STATES = ("to look at", "to be trained", "in order")
"""What a line asks of a person, the most urgent first."""


@dataclass(frozen=True)
class LineRow:
    """One line. page: address of its own page, "" where it has none. champion: what serves. last:
    the newest entry of its decision log. monitor: status.json of the last look for drift."""

    line: str
    description: str
    page: str
    champion: VersionRow | None
    last: Mapping[str, Any] = field(default_factory=dict)
    monitor: Mapping[str, Any] = field(default_factory=dict)
    costs: tuple[float, float, float] | None = None

    @property
    def cost(self) -> str:
        """What 1,000 parts cost by the champion's mistakes on its test set; "" where that cannot be
        said."""
        told = self.champion.detection if self.champion else None
        if self.costs is None or told is None or told.defects.share is None or \
                told.good.share is None:
            return ""
        return f"{1000 * expected_cost(1 - told.defects.share, told.good.share, *self.costs):,.0f}"

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.champion is None:
            return "to look at" if self.last else "to be trained"
        waits = self.last.get("action") in ("hold", "refuse")
        return "to look at" if waits or self.monitor.get("state") == "drift" or \
            self.mostly_escapes else "in order"

    @property
    def mostly_escapes(self) -> bool:
        """More defective parts of the test set pass the champion than it stops."""
        told = self.champion.detection if self.champion else None
        return told is not None and told.defects.passed > told.defects.parts_stopped

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        """What serves, image AUROC, recall, false alarms; with each what is said small below it."""
        nothing = (MISSING, "")
        if self.champion is None:
            return (("none", ""), nothing, nothing, nothing)
        told, live = self.champion.detection, self.champion.live
        since = f"since {live[-1].split(' to ')[0]}" if live else ""
        return ((f"version {self.champion.version}", since),
                (fraction(self.champion.image_auroc), ""),
                (told.defects.rate(), told.defects.counts()) if told else nothing,
                (told.good.rate(), told.good.counts()) if told else nothing)


def render_plant(rows: Sequence[LineRow]) -> str:
    """The page, what is to be looked at first: styles inside, no script, nothing from a network."""
    order = sorted(rows, key=lambda row: (STATES.index(row.state), row.line))
    counts = {state: sum(row.state == state for row in rows) for state in STATES}
    return template("hdm.monitoring", "plant_page.html.j2").render(
        rows=order, style=style(), counts=counts)
