"""What a detector stops at its operating point: the one record behind every place that shows it.

A part is defective if any of its pictures is, and stopped if any of its pictures is not called
good. An undecidable picture stops its part. Counted by `hdm.evaluation.stopped_parts`; this module
reads and shows, and imports nothing that is slow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hdm.errors import HDMError
from hdm.evaluation.percent import MISSING, fraction, percent
from hdm.files import read_json

DETECTION_FILE = "detection.json"


class Stopped(NamedTuple):
    """How many of one kind were stopped: good parts, a type of defect, or all defects.

    parts, images: how many there are. ..._stopped: of these. ..._undecidable: of the stopped ones,
    those on which nothing was called a defect. low, high: exact (Clopper-Pearson) interval of
    the stopped share of parts; None without parts.
    """

    kind: str
    parts: int
    parts_stopped: int
    parts_undecidable: int
    images: int
    images_stopped: int
    images_undecidable: int
    low: float | None
    high: float | None

    @property
    def share(self) -> float | None:
        """Of the parts that are stopped; None without parts."""
        return self.parts_stopped / self.parts if self.parts else None

    @property
    def image_share(self) -> float | None:
        """Of the pictures that are stopped; None without pictures."""
        return self.images_stopped / self.images if self.images else None

    @property
    def passed(self) -> int:
        """Parts that are not stopped: escapes, where they are defective."""
        return self.parts - self.parts_stopped

    def counts(self, what: str = "") -> str:
        """'46 of 48 defective parts', and where parts have several pictures '(68 of 72 pictures)'
        behind it."""
        if not self.parts:
            return MISSING
        noun = f" {what}" if what else ""
        beside = "" if self.images == self.parts else \
            f" ({self.images_stopped:,} of {self.images:,} pictures)"
        return f"{self.parts_stopped:,} of {self.parts:,}{noun}{beside}"

    def rate(self) -> str:
        """'95.8 %'."""
        return percent(self.share)

    def bounds(self) -> str:
        """'85.7 % to 99.5 %', empty without parts."""
        return f"{percent(self.low)} to {percent(self.high)}" if self.low is not None else ""


@dataclass(frozen=True)
class Detection:
    """good, defects: all of them; types: one a type of defect, by name. coverage: of intervals."""

    good: Stopped
    defects: Stopped
    types: tuple[Stopped, ...]
    coverage: float

    @property
    def worst(self) -> Stopped | None:
        """The type with the smallest stopped share, of equals that with most escapes."""
        return min(self.types, key=lambda kind: (kind.share or 0.0, -kind.passed), default=None)

    @property
    def undecidable(self) -> Stopped:
        """Parts and pictures on which nothing could be decided, good or not; no interval."""
        whole = [sum(pair) for pair in zip(self.good[1:7], self.defects[1:7], strict=True)]
        return Stopped("undecidable", whole[0], whole[2], whole[2], whole[3], whole[5], whole[5],
                       None, None)

    def metrics(self) -> dict[str, float | int | None]:
        """Flat figures: `recall` and `false_alarm_rate` are of parts, `image_...` of pictures."""
        good, bad, unsure = self.good, self.defects, self.undecidable
        bounds = {"recall_low": bad.low, "recall_high": bad.high,
                  "false_alarm_rate_low": good.low, "false_alarm_rate_high": good.high}
        return {"recall": bad.share, "false_alarm_rate": good.share,
                "image_recall": bad.image_share, "image_false_alarm_rate": good.image_share,
                "good_parts": good.parts, "defective_parts": bad.parts, "escapes": bad.passed,
                "false_alarms": good.parts_stopped, "undecidable_parts": unsure.parts_stopped,
                "undecidable_images": unsure.images_stopped,
                **{name: bound for name, bound in bounds.items() if bound is not None}}

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"coverage": self.coverage, "good": self.good._asdict(),
                "defects": self.defects._asdict(), "types": [k._asdict() for k in self.types]}

    @classmethod
    def from_dict(cls, content: Any) -> "Detection":
        """The inverse of `as_dict`; raises HDMError if it is not."""
        try:
            return cls(Stopped(**content["good"]), Stopped(**content["defects"]),
                       tuple(Stopped(**kind) for kind in content["types"]),
                       float(content["coverage"]))
        except (KeyError, TypeError, ValueError):
            raise HDMError(f"expected counts of stopped parts, found {str(content)[:80]}; run the "
                           "evaluate stage again.") from None

    @classmethod
    def load(cls, folder: Path) -> "Detection":
        """What evaluate wrote into its folder; raises HDMError if it is not there or damaged."""
        return cls.from_dict(read_json(folder / DETECTION_FILE))


def detection_rows(found: Detection, aurocs: Mapping[str, float | None] | None = None,
                   overall: float | None = None) -> list[tuple[str, ...]]:
    """Cells of one table for every place, as DETECTION_COLUMNS names them: each type of defect,
    all defects, good parts. aurocs: image AUROC by type; overall: of all."""
    known = aurocs or {}
    named = [(kind.kind, kind, fraction(known.get(kind.kind))) for kind in found.types]
    named += [("all defects", found.defects, fraction(overall)),
              ("good parts", found.good, "")]
    return [(name, kind.counts(), kind.rate(), kind.bounds(), str(kind.parts_undecidable), auroc)
            for name, kind, auroc in named]


DETECTION_COLUMNS = ("", "stopped", "share", "interval", "undecidable", "image AUROC")
