"""A lot in figures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hdm.errors import DataError
from hdm.lots.lot_results import DECISIONS, Judged

NOT_GOOD = ("defect", "undecidable", "unreadable")


@dataclass(frozen=True)
class Lot:
    """name: what people call it, "" where nobody said. pictures: in the order they were judged."""

    line: str
    name: str
    pictures: tuple[Judged, ...]

    @property
    def not_good(self) -> list[Judged]:
        """Pictures that were not called good."""
        return [one for one in self.pictures if one.decision != "good"]

    @property
    def span(self) -> tuple[str, str] | None:
        """When the first and the last picture was judged, UTC; None where no table says it."""
        times = sorted(one.time for one in self.pictures if one.time)
        return (times[0], times[-1]) if times else None

    def counts(self) -> dict[str, int]:
        """Pictures a decision."""
        found = Counter(one.decision for one in self.pictures)
        return {decision: found[decision] for decision in DECISIONS}

    def parts(self) -> dict[str, int] | None:
        """Parts a decision, each by the worst of its pictures; None where no part is known.
        Pictures whose part is not known are in none."""
        worst: dict[str, str] = {}
        for one in self.pictures:
            if one.part and _rank(one.decision) >= _rank(worst.get(one.part, "good")):
                worst[one.part] = one.decision
        found = Counter(worst.values())
        return {decision: found[decision] for decision in DECISIONS} if worst else None

    def versions(self) -> dict[str, list[Judged]]:
        """Pictures by the version that judged them, in the order of their first one."""
        found: dict[str, list[Judged]] = {}
        for one in self.pictures:
            found.setdefault(one.version, []).append(one)
        return found


def lot_of(line: str, pictures: Sequence[Judged], name: str | None) -> Lot:
    """The pictures of one lot, or with None of all of them. Raises DataError if there are none."""
    chosen = tuple(one for one in pictures if name is None or one.lot == name)
    if not chosen:
        names = sorted({one.lot for one in pictures if one.lot})
        there = f"there are: {', '.join(names[:20])}" if names else "no picture has a lot's name"
        raise DataError("expected pictures of " + (f"the lot {name!r}" if name else "a lot")
                        + f", found none; {there}." if pictures else
                        "expected judged pictures, found none; judge some with `hdm watch` first.")
    names = list(dict.fromkeys(one.lot for one in chosen))
    if any(names):
        names = [one or "pictures of no named lot" for one in names]
    return Lot(line, ", ".join(names) if name is None else name, chosen)


def _rank(decision: str) -> int:
    """A part is defective if one of its pictures is."""
    return ("good", "unreadable", "undecidable", "defect").index(decision)
