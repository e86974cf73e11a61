"""Who goes where: one deterministic split by physical part.

A group's place follows from a hash of (seed, group), never from its position in a listing, so
that new images leave the others where they are.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from hdm.errors import DataError
from hdm.ingest.readers.image_record import Record

_TOLERANCE = 0.2


def assign_splits(records: Sequence[Record], groups: Sequence[str], *, seed: int,
                  calibration_fraction: float, test_fraction: float,
                  frozen: Collection[str] | None = None) -> list[str]:
    """The split of each record; `groups` are the final groups, one a record.

    What the source says stands. Without a test split all defects and `test_fraction` of the good
    groups become test; a group with a defect is then wholly test. Without a calibration split
    `calibration_fraction` of the good training groups become calibration. Defects never train:
    those of the source's train or calibration become holdout.

    `frozen`: the paths that are test, whatever the source says. Other images that would be test
    by their source, their defect or their part become holdout; all else may be trained on.

    Raises DataError if there are no good images, too few groups to split, or one of the source's
    own groups on both sides.
    """
    if all(record.label for record in records):
        raise DataError(f"expected good images to learn from, found none among {len(records)} "
                        "images; add some or mark them as good.")
    splits = [given_split(record) for record in records]
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    if frozen is not None:
        _take_frozen(records, splits, members, frozen)
    elif "test" in splits:
        _complete(records, splits, members)
    else:
        _take_test(records, splits, members, seed, test_fraction)
    if "calibration" not in splits:
        training = [group for group, rows in members.items()
                    if any(splits[row] == "train" for row in rows)]
        taken = draw(training, calibration_fraction, seed, "calibration")
        _require(len(training), 2, "train and calibration")
        for index, group in enumerate(groups):
            if group in taken and splits[index] == "train":
                splits[index] = "calibration"
    found = [split or "" for split in splits]
    _refuse_leaks(found, members)
    return found


def draw(groups: Iterable[str], fraction: float, seed: int, purpose: str) -> set[str]:
    """About `fraction` of `groups`, the same ones whatever else is added or taken away.

    Those whose hash is below `fraction` are drawn; only where chance takes the share more than a
    fifth off (few groups) the next ones in order of the hash are added or left out. At least one
    is drawn and at least one left, if there are two.
    """
    rank = sorted((_uniform(seed, purpose, group), group) for group in set(groups))
    target = fraction * len(rank)
    natural = sum(value < fraction for value, _ in rank)
    low = max(math.floor((1 - _TOLERANCE) * target), 1)
    high = max(min(math.ceil((1 + _TOLERANCE) * target), len(rank) - 1), low)
    return {group for _, group in rank[: min(max(natural, low), high)]}


def given_split(record: Record) -> str | None:
    """What the source says about the split; a defect cannot train and is then holdout."""
    if record.label and record.split in ("train", "calibration"):
        return "holdout"
    return record.split


def _complete(records: Sequence[Record], splits: list[str | None],
              members: dict[str, list[int]]) -> None:
    """Rows without a split, where the source has a test split: beside their group, else by label.
    """
    for rows in members.values():
        known = {splits[row] for row in rows} - {None, "holdout"}
        defect = any(records[row].label and splits[row] is None for row in rows)
        side = next(iter(known)) if len(known) == 1 else "test" if defect else "train"
        for row in rows:
            if splits[row] is None:
                splits[row] = "holdout" if records[row].label and side != "test" else side


def _take_test(records: Sequence[Record], splits: list[str | None],
               members: dict[str, list[int]], seed: int, fraction: float) -> None:
    """Test from the good images by group, and every defect that the source left open."""
    forced = {group for group, rows in members.items()
              if any(records[row].label and splits[row] is None for row in rows)}
    open_groups = [group for group, rows in members.items() if group not in forced
                   and all(splits[row] in (None, "train") for row in rows)]
    _require(len(open_groups), 3, "train, calibration and test")
    taken = draw(open_groups, fraction, seed, "test") | forced
    for group, rows in members.items():
        for row in rows:
            if group in taken and splits[row] in (None, "train"):
                splits[row] = "test"
            elif splits[row] is None:
                splits[row] = "train"


def _take_frozen(records: Sequence[Record], splits: list[str | None],
                 members: dict[str, list[int]], frozen: Collection[str]) -> None:
    """Test from the frozen set alone; of a tested part nothing else is trained on."""
    for rows in members.values():
        tested = any(records[row].path in frozen or splits[row] == "test" for row in rows)
        for row in rows:
            if records[row].path in frozen:
                splits[row] = "test"
            elif tested or records[row].label:
                splits[row] = "holdout"
            else:
                splits[row] = splits[row] or "train"


def _refuse_leaks(splits: Sequence[str], members: dict[str, list[int]]) -> None:
    for group, rows in sorted(members.items()):
        sides = sorted({splits[row] for row in rows} - {"holdout"})
        if len(sides) > 1:
            raise DataError(f"the group {group!r} is in both {sides[0]} and {sides[1]}, so a part "
                            "would be tested that was trained on; give all its images one split.")


def _require(found: int, needed: int, purpose: str) -> None:
    if found < needed:
        raise DataError(f"expected at least {needed} groups (physical parts) of good images for "
                        f"{purpose}, found {found}; add good images or correct the groups.")


def _uniform(seed: int, purpose: str, group: str) -> float:
    digest = hashlib.sha256(f"{seed}\0{purpose}\0{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
