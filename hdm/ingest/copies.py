"""Copies of an image: grouped with their part, and refused across splits."""

from collections.abc import Sequence

import numpy as np

from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.decoding import Decoded, Facts
from hdm.ingest.duplicates import exact_duplicates, near_duplicates
from hdm.ingest.readers import Record
from hdm.ingest.splits import given_split


def group_copies(records: Sequence[Record], facts: dict[str, Facts]) -> tuple[list[str], list[str]]:
    """The final group of each record, and warnings.

    An image without a group is its own; groups that share an exact copy are one, so that copies
    can never be split.
    """
    hashes = [facts[record.path].sha256 for record in records]
    given = [given_split(record) for record in records]
    fixed = [index for index, split in enumerate(given) if split]
    _refuse([(records[fixed[a]].path, records[fixed[b]].path) for a, b in exact_duplicates(
        [hashes[i] for i in fixed], [str(given[i]) for i in fixed])], "splits")
    _refuse([(records[a].path, records[b].path) for a, b in exact_duplicates(
        hashes, ["bad" if record.label else GOOD for record in records])], "classes (good, bad)")
    names = [record.group or record.path for record in records]
    parent: dict[str, str] = {name: name for name in names}

    def top(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    first: dict[str, str] = {}
    for name, digest in zip(names, hashes, strict=True):
        one, other = sorted((top(first.setdefault(digest, name)), top(name)))
        parent[other] = one
    copies = len(hashes) - len(set(hashes))
    note = [f"{copies} of {len(hashes)} images are exact copies of another one; they share its "
            "group and split."] if copies else []
    kinds = exact_duplicates(hashes, [record.defect_type for record in records])
    if kinds:
        named = listing([f"{records[a].path} = {records[b].path}" for a, b in kinds])
        note.append(f"{len(kinds)} images are of two defect types: {named}.")
    return [top(name) for name in names], note


def refuse_copies(records: Sequence[Record], facts: dict[str, Facts],
                   splits: Sequence[str]) -> None:
    pairs = exact_duplicates([facts[record.path].sha256 for record in records], splits)
    _refuse([(records[a].path, records[b].path) for a, b in pairs], "splits")


def _refuse(pairs: list[tuple[str, str]], what: str) -> None:
    if pairs:
        named = listing([f"{a} = {b}" for a, b in pairs])
        raise DataError(f"{len(pairs)} images are exact copies of images in other {what}: {named}; "
                        "remove one of each pair.")


def near_copies(records: Sequence[Record], decoded: Decoded, splits: Sequence[str],
                bits: int, rule: str) -> list[str]:
    """Refuse or warn of copies between train or calibration and test; bits: of deep images."""
    if rule == "ignore":
        return []
    seen = (decoded.facts[record.path] for record in records)
    split = np.array(splits)
    pairs = near_duplicates(
        decoded.thumbnails((record.path for record in records), bits),
        np.fromiter((fact.width / fact.height for fact in seen), np.float64, len(records)),
        np.isin(split, ("train", "calibration")), split == "test")
    if not pairs:
        return []
    named = listing([f"{records[pair.first].path} ~ {records[pair.second].path}"
                     for pair in pairs])
    text = (f"{len(pairs)} pairs of images show the same picture in train or calibration and in "
            f"test: {named}")
    if rule == "warn":
        return [text + "."]
    raise DataError(f"{text}; remove one of each pair, or set ingest.near_duplicates to warn if "
                    "they are different parts.")
