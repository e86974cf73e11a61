"""Two versions side by side: their figures, and the pictures of which they say otherwise."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from hdm.evaluation.detection import Detection, Stopped
from hdm.evaluation.percent import MISSING, fraction
from hdm.evaluation.stopped_parts import PASSED
from hdm.home.judged_tests import Judged, judged_tests
from hdm.home.version_files import VersionFiles

METRICS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro": "AUPRO"}


class Figure(NamedTuple):
    """One row of the comparison: values as text, with their interval below, "" where none."""

    name: str
    first: str
    first_interval: str
    second: str
    second_interval: str


class Disagreement(NamedTuple):
    """A test picture that one stops and the other passes."""

    first: Judged
    second: Judged

    @property
    def right(self) -> int:
        """Which of both, 1 or 2, is right."""
        return 2 if self.first.wrong else 1


@dataclass(frozen=True)
class VersionPair:
    """first, second: what is compared. disagreements: None where they were measured on different
    test sets, whose figures must not be compared."""

    first: VersionFiles
    second: VersionFiles
    figures: tuple[Figure, ...]
    disagreements: tuple[Disagreement, ...] | None

    def better(self, which: int) -> int:
        """On how many pictures version 1 or 2 is right and the other wrong."""
        return sum(one.right == which for one in self.disagreements or ())


def version_pair(first: VersionFiles, second: VersionFiles) -> VersionPair:
    """Compare two versions of a line; raises HDMError if a file of theirs is damaged."""
    figures = [*_metrics(first, second), *_stopped(first.detection, second.detection),
               Figure("threshold", f"{first.point.threshold:.3f}", "",
                      f"{second.point.threshold:.3f}", "")]
    same = first.test_set == second.test_set and bool(first.test_set)
    return VersionPair(first, second, tuple(figures), _disagreements(first, second)
                       if same else None)


def _metrics(first: VersionFiles, second: VersionFiles) -> list[Figure]:
    return [Figure(title, *_metric(first, name), *_metric(second, name))
            for name, title in METRICS.items()]


def _metric(files: VersionFiles, name: str) -> tuple[str, str]:
    bounds: Any = files.intervals.get(name) or {}
    low, high = bounds.get("low"), bounds.get("high")
    told = "" if low is None or high is None else f"{fraction(low)} to {fraction(high)}"
    return fraction(files.metrics.get(name)), told


def _stopped(first: Detection, second: Detection) -> list[Figure]:
    rows = [("defective parts stopped", first.defects, second.defects),
            ("good parts stopped", first.good, second.good)]
    theirs = {kind.kind: kind for kind in second.types}
    rows += [(f"defect: {kind.kind}", kind, theirs[kind.kind]) for kind in first.types
             if kind.kind in theirs]
    return [Figure(name, _told(mine), mine.bounds(), _told(other), other.bounds())
            for name, mine, other in rows]


def _told(found: Stopped) -> str:
    return f"{found.rate()}, {found.counts()}" if found.parts else MISSING


def _disagreements(first: VersionFiles, second: VersionFiles) -> tuple[Disagreement, ...]:
    """Escapes of the first that the second stops come first, then the other kinds."""
    theirs = {one.path: one for one in judged_tests(second)}
    pairs = [Disagreement(one, theirs[one.path]) for one in judged_tests(first)
             if one.path in theirs
             and (one.decision == PASSED) != (theirs[one.path].decision == PASSED)]
    return tuple(sorted(pairs, key=lambda pair: (not pair.first.defective, pair.right != 2,
                                                 pair.first.path)))
