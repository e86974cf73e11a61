"""The pictures of a version's test set with what the version said of them, worst first."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from hdm.evaluation.stopped_parts import PASSED, UNDECIDABLE
from hdm.home.version_files import VersionFiles

if TYPE_CHECKING:
    import pandas as pd

VIEWS = {
    "wrong": "What it got wrong",
    "close": "What was close",
    "undecidable": "Undecidable",
    "all": "All pictures",
}
"""Which pictures a page shows; any other view is a type of defect."""


class Judged(NamedTuple):
    """One picture. margin: score above the threshold, in units of the score; below 0 it passes.

    reasons: codes of hdm.detector.decidability, where it is undecidable.
    """

    path: str
    defective: bool
    kind: str
    part: str
    score: float
    margin: float
    p_value: float
    decision: str
    reasons: str

    @property
    def wrong(self) -> bool:
        """An escape or a false alarm."""
        return self.defective == (self.decision == PASSED)

    @property
    def said(self) -> str:
        """What it is and what was said of it."""
        truth = f"defect ({self.kind})" if self.defective else "good part"
        if self.decision == UNDECIDABLE:
            return f"{truth}: undecidable"
        if self.wrong:
            return f"{truth}: escaped" if self.defective else f"{truth}: stopped for nothing"
        return f"{truth}: {'stopped' if self.defective else 'passed'}"


def judged_tests(files: VersionFiles) -> list[Judged]:
    """All of them, in the order of their paths."""
    threshold = files.point.threshold
    return sorted(_judged(row, threshold) for row in files.scores.itertuples(index=False))


def views(found: Iterable[Judged]) -> dict[str, str]:
    """Every view that there is of these pictures, and its title."""
    kinds = sorted({one.kind for one in found if one.defective})
    return VIEWS | {kind: f"Defect: {kind}" for kind in kinds if kind not in VIEWS}


def chosen(found: Iterable[Judged], view: str) -> list[Judged]:
    """The pictures of a view, those that teach most first.

    Wrong ones by how wrong; close ones by how little they were right; a type's from the least
    suspicious on; all by path.
    """
    if view == "wrong":
        return sorted((one for one in found if one.wrong), key=lambda one: -abs(one.margin))
    if view == "close":
        right = [one for one in found if not one.wrong and one.decision != UNDECIDABLE]
        return sorted(right, key=lambda one: abs(one.margin))
    if view == "undecidable":
        return [one for one in found if one.decision == UNDECIDABLE]
    if view == "all":
        return list(found)
    return sorted((one for one in found if one.kind == view), key=lambda one: one.score)


def _judged(row: "pd.Series", threshold: float) -> Judged:
    score = float(row.score)
    return Judged(str(row.path), bool(row.label), str(row.defect_type), str(row.group), score,
                  score - threshold, float(row.p_value), str(row.decision), str(row.reasons or ""))
