"""What a line is measured on: the test split, named by its content."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hdm.dataset.manifest import GOOD, Manifest


class Entry(NamedTuple):
    """One image of a test set: path relative to the source, SHA-256 of the decoded pixels of image
    and mask; the mask's is empty where there is none."""

    path: str
    sha256: str
    label: int
    defect_type: str
    mask_sha256: str


def entries_of(manifest: Manifest, masks: Mapping[str, str]) -> tuple[Entry, ...]:
    """The test split of a manifest; `masks` are the hashes of masks.json."""
    return tuple(Entry(row.path, row.sha256, row.label, row.defect_type,
                       masks[row.mask_path] if row.mask_path else "")
                 for row in manifest.split("test"))


def content_name(entries: Iterable[Entry]) -> str:
    """`test-` and 8 hexadecimal digits: equal for equal pixels, labels, defect types and masks.

    The order and the names of the files do not matter.
    """
    lines = sorted("\0".join(map(str, entry[1:])) for entry in entries)
    return "test-" + hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def difference(before: Iterable[Entry], after: Iterable[Entry]) -> tuple[int, int]:
    """How many images were added and removed; a changed one is both."""
    old, new = (Counter(entry[1:] for entry in entries) for entries in (before, after))
    return (new - old).total(), (old - new).total()


def change(before: Sequence[Entry], after: Sequence[Entry]) -> str:
    """A sentence if these are two test sets; empty if they are one."""
    old, new = content_name(before), content_name(after)
    if old == new:
        return ""
    added, removed = difference(before, after)
    return (f"the test set has changed from {old} to {new}: {added} images added, {removed} "
            "removed; scores on the two are not compared.")


def describe(entries: Sequence[Entry], frozen_as: str | None = None) -> dict[str, Any]:
    """What test_set.json says: `name` follows from the content, `frozen_as` is what people say."""
    return {"name": content_name(entries), "frozen_as": frozen_as, "images": len(entries),
            "masks": sum(bool(entry.mask_sha256) for entry in entries),
            "defect_types": dict(Counter(entry.defect_type for entry in entries))}


def in_words(described: Mapping[str, Any]) -> str:
    """`test-1a2b3c4d, frozen as spring: 54 images, 24 of them good`."""
    alias = f", frozen as {described['frozen_as']}" if described["frozen_as"] else ""
    return (f"{described['name']}{alias}: {described['images']} images, "
            f"{described['defect_types'].get(GOOD, 0)} of them good")
