"""One file that `hdm predict` was given, and how it stands in the tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hdm.detector.regions import NO_REGIONS, Regions


@dataclass(frozen=True)
class Row:
    """One file: its verdict, or the sentence why there is none.

    model_version: who judged it, a number or `hdm.line.TRAINED`. reasons:
    sentences of what is undecidable. regions: where defects are, in
    pixels. heatmap, overlay: files in the folder of the tables, or "".
    """

    path: str
    model_version: str = ""
    score: float | None = None
    p_value: float | None = None
    probability: float | None = None
    decision: str = ""
    threshold: float | None = None
    reasons: str = ""
    heatmap: str = ""
    overlay: str = ""
    error: str = ""
    regions: Regions = NO_REGIONS

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; `more_regions` counts those that are not told."""
        return asdict(self) | {"regions": [region._asdict() for region in self.regions.told],
                               "more_regions": self.regions.more}

    def as_cells(self) -> dict[str, Any]:
        """A row of predictions.csv: `regions` is their number."""
        cells = self.as_dict()
        return cells | {"regions": len(self.regions.told) + cells.pop("more_regions")}

    def region_cells(self) -> list[dict[str, Any]]:
        """Rows of regions.csv, one a region; the outline as "x,y x,y ..."."""
        return [{"path": self.path, "model_version": self.model_version,
                 "decision": self.decision, "region": number, **region._asdict(),
                 "outline": " ".join(f"{x},{y}" for x, y in region.outline)}
                for number, region in enumerate(self.regions.told, start=1)]


REGION_COLUMNS = ("path", "model_version", "decision", "region", "left", "top", "width", "height",
                  "area", "peak", "outline")


def summary(rows: Sequence[Row], who: str) -> str:
    """12 images: 9 good, 2 defect, 1 undecidable (version 3)."""
    return counted(Counter(said(row) for row in rows), who)


def said(row: Row) -> str:
    """The decision, or that there is none."""
    return row.decision or "unreadable"


def counted(kinds: Mapping[str, int], who: str) -> str:
    """The same from the number of images a decision."""
    count = sum(kinds.values())
    told = ", ".join(f"{kinds.get(kind, 0)} {kind}"
                     for kind in dict.fromkeys(["good", "defect", *sorted(kinds)]))
    return f"{count} image{'s' * (count != 1)}: {told} ({who})"
