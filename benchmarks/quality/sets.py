"""A public inspection set in MVTec AD layout as a manifest, split by physical part."""

import hashlib
import random
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image

from hdm.dataset.held_out import joining
from hdm.dataset.manifest import GOOD, Manifest, Row
from hdm.errors import DataError
from hdm.ingest.readers import Record, read_source
from hdm.ingest.splits import assign_splits
from hdm.pipelines import Source

_EXPOSURE = re.compile(r"exp(\d+)_num_(\d+)")


def read_set(folder: Path, *, seed: int, calibration_fraction: float,
             limit: int | None = None, good: int | None = None) -> Manifest:
    """The set's images with their splits: train and calibration are good, test is as published.

    Calibration is drawn from train/good by group, so a part is never on both sides. `limit` keeps
    the first images of each split and kind, for trials; of the good images that are not tested
    `good` are kept, drawn by the seed, in the same shares. Raises DataError if the folder is not
    there or has no such layout.
    """
    if not folder.is_dir():
        raise DataError(f"expected the inspection set {folder.name} in {folder.parent}, found no "
                        "such folder; say with --data where the sets lie.")
    records = read_source(folder, Source(path=str(folder), format="mvtec")).records
    groups = part_groups(folder.name, records)
    splits = assign_splits(records, groups, seed=seed, test_fraction=0.25,
                           calibration_fraction=calibration_fraction)
    rows = [_row(folder, record, split, group)
            for record, split, group in zip(records, splits, groups, strict=True)]
    if limit is not None:
        kinds = groupby(sorted(rows, key=_kind), key=_kind)
        rows = [row for _, members in kinds for row in list(members)[:limit]]
    if good is not None:
        rows = _few(rows, good, calibration_fraction, seed)
    return Manifest.of(rows, folder)


def _few(rows: list[Row], good: int, calibration_fraction: float, seed: int) -> list[Row]:
    held = round(calibration_fraction * good)
    drawn = random.Random(seed)
    kept = [row for row in rows if row.split == "test"]
    for split, count in (("train", good - held), ("calibration", held)):
        own = [row for row in rows if row.split == split]
        kept += drawn.sample(own, min(count, len(own)))
    return kept


def part_groups(name: str, records: list[Record]) -> list[str]:
    """Which physical part each image shows: a tile's exposures on `mtd`, else each its own."""
    if name != "mtd":
        return [record.path for record in records]
    return exposure_runs([(Path(record.path).parent.as_posix(), Path(record.path).stem)
                          for record in records])


def exposure_runs(images: list[tuple[str, str]]) -> list[str]:
    """Groups of (folder, `exp<exposure>_num<capture>`) images, in the order given.

    A tile was photographed at rising exposures one after the other, so in capture order a new one
    begins wherever the exposure does not rise. Good images are counted through train and test,
    which lie between each other; no tile is on both sides. Raises DataError at another name.
    """
    parsed = []
    for index, (folder, stem) in enumerate(images):
        found = _EXPOSURE.fullmatch(stem)
        if found is None:
            raise DataError(f"{folder}/{stem}: expected a name like exp3_num_1855, from which the "
                            "tile follows; restore the set's own file names.")
        parsed.append((Path(folder).name, int(found[2]), int(found[1]), folder, index))
    groups = [""] * len(images)
    before: tuple[str, int] | None = None
    tile = ""
    for _, capture, exposure, folder, index in sorted(parsed):
        if before is None or folder != before[0] or exposure <= before[1]:
            tile = f"{folder}/{capture}"
        groups[index], before = tile, (folder, exposure)
    return groups


def _row(folder: Path, record: Record, split: str, group: str) -> Row:
    """The manifest's row, with the size from the file's head alone."""
    file = folder / record.path
    with Image.open(file) as image:
        width, height = image.size
        channels = 1 if image.mode in ("1", "L", "I;16") else 3
        depth = 16 if image.mode.startswith("I") else 8
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Row(record.path, split, record.label, record.defect_type, next(iter(record.masks), None),
               group, width, height, channels, depth, depth, digest)


def _kind(row: Row) -> tuple[str, str]:
    return row.split, "" if row.defect_type == GOOD else row.defect_type


def divided(shown: Sequence[str]) -> tuple[list[int], list[int]]:
    """Numbers of the held-out images, of the parts that `shown` names, that join evidence, and of
    those that set thresholds (`hdm.dataset.held_out`)."""
    joins = joining(shown)
    return np.flatnonzero(joins).tolist(), np.flatnonzero(~joins | joins.all()).tolist()
