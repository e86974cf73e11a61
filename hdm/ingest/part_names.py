"""Which images show one physical part, where only their names can tell."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from hdm.dataset.part_rule import PART, part_reader
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Record

FEWEST_PARTS, MOST_VIEWS = 5, 16
FITTING, COMPLETE, SEVERAL = 0.9, 0.6, 1.5
"""Share of the names that a proposed rule must fit; of all views that its parts must have; and
pictures a part on average."""
_COUNTER = re.compile(r"\d{5}")
"""A date or a long number is no camera."""
_ENDS_IN_LETTER = re.compile(r".*\d[A-Za-z]")


def with_parts(records: Sequence[Record], rule: str) -> tuple[list[Record], list[str]]:
    """`records`, those without a group in the one that `rule` reads from their names, and what a
    person should know of it. Raises DataError if the rule fits none of the names.
    """
    read = part_reader(rule)
    found = [record if record.group else replace(record, group=read(record.path))
             for record in records]
    unknown = [record for record in found if not record.group]
    open_before = sum(not record.group for record in records)
    if rule and unknown and len(unknown) == open_before:
        raise DataError(f"expected names that fit the part rule {rule!r}, found names such as "
                        f"{unknown[0].path}; correct part_rule of the line's source in "
                        "pipelines.yaml.")
    parts = len({record.group for record in found if record.group})
    if not unknown:
        return found, [f"{len(found)} images show {parts} parts."] if open_before else []
    if parts:
        return found, [f"{len(found) - len(unknown)} images show {parts} parts; {len(unknown)} say "
                       f"no part, such as {unknown[0].path}: each of these counts as its own."]
    proposed = propose(unknown)
    if not proposed:
        return found, ["parts unknown: each picture counts as its own part."]
    return found, [f"parts unknown: each picture counts as its own part. Names such as "
                   f"{_examples(unknown, proposed)} look like several pictures of a part: if they "
                   f"are, say part_rule: \"{proposed}\" in the line's source in pipelines.yaml "
                   "(`hdm lines add --part-rule`)."]


def propose(records: Sequence[Record]) -> str:
    """A rule by which the names of good images look like several pictures a part; "" if they do
    not. It is told, and never applied by itself."""
    paths = [record.path for record in records if not record.label]
    for rule in _candidates(paths):
        views = _views(paths, rule, MOST_VIEWS)
        # Defects are counted, too, where numbers may begin again.
        if views is None or _views([record.path for record in records], rule) is None:
            continue
        parts = len(views)
        kinds = len({view for seen in views.values() for view in seen})
        pictures = sum(map(len, views.values()))
        if (parts >= FEWEST_PARTS and 2 <= kinds <= MOST_VIEWS and pictures >= SEVERAL * parts
                and pictures >= COMPLETE * parts * kinds and pictures >= FITTING * len(paths)):
            return rule
    return ""


def _candidates(paths: Sequence[str]) -> Iterator[str]:
    """Rules that could be: what varies from picture to picture of a part is the last piece of the
    name or the first, a letter behind a number, the name in a folder a part, or the folder.

    Each also with the folders above in the part's name: where numbers begin again in each folder,
    equal ones are of different parts.
    """
    stems = [PurePosixPath(path).stem for path in paths]
    own = [f"{PART}{mark}*" for mark in "_-. " if all(mark in stem for stem in stems)]
    own += [f"*{mark}{PART}" for mark in "_-. " if all(mark in stem for stem in stems)]
    if stems and all(map(_ENDS_IN_LETTER.fullmatch, stems)):
        own.append(f"{PART}?")
    depth = min((len(PurePosixPath(path).parts) for path in paths), default=0)
    for rule in own:
        for folders in range(min(depth, 3)):
            yield f"{PART}/" * folders + rule
    if depth > 2:  # the first folder says good
        yield f"{PART}/*"
        yield f"*/{PART}"


def _views(paths: Sequence[str], rule: str, most: int = 0) -> dict[str, set[str]] | None:
    """What is left of the names beside the part's, by part; None if two pictures of a part have
    the same: then the rule takes different parts for one. Also if more than `most` are left, so
    that of a million names few are looked at; 0: any number."""
    read = part_reader(rule)
    kinds: set[str] = set()
    found: dict[str, set[str]] = defaultdict(set)
    depth = rule.count("/") + 1
    for path in paths:
        part = read(path)
        if part is None:
            continue
        tail = "/".join(PurePosixPath(path).with_suffix("").parts[-depth:])
        for piece in part.split("/"):
            tail = tail.replace(piece, PART, 1)
        if tail in found[part] or _COUNTER.search(tail):
            return None
        found[part].add(tail)
        if most:
            kinds.add(tail)
            if len(kinds) > most:
                return None
    return found


def _examples(records: Sequence[Record], rule: str) -> str:
    read = part_reader(rule)
    first = next(part for record in records if (part := read(record.path)))
    return " and ".join([record.path for record in records if read(record.path) == first][:2])
