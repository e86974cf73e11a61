"""From a source of images to a manifest: read, decode, group, split, refuse what would leak."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hdm.dataset.frozen_set import FrozenSet, refuse_changes
from hdm.dataset.manifest import GOOD, SPLITS, Manifest, Row
from hdm.dataset.problems import listing, printable
from hdm.dataset.test_set import Entry, entries_of
from hdm.errors import DataError
from hdm.ingest.copies import group_copies, near_copies, refuse_copies
from hdm.ingest.decoding import Facts, Progress, decode_all
from hdm.ingest.readers import Record, read_source
from hdm.ingest.splits import assign_splits, given_split
from hdm.pipelines import Source
from hdm.settings import Ingest


@dataclass(frozen=True)
class Ingested:
    """A manifest, its split table (see `split_table`) and what a person should know about it.

    masks: SHA-256 of the decoded pixels of each mask, by its path. waiting: paths of the images
    that could join the frozen test set, if they are frozen with it under a new name.
    """

    manifest: Manifest
    table: pd.DataFrame
    warnings: list[str]
    masks: dict[str, str]
    waiting: list[str]

    @property
    def tested(self) -> tuple[Entry, ...]:
        """The test split."""
        return entries_of(self.manifest, self.masks)


def ingest(source: Path, layout: Source | str, settings: Ingest, seed: int, *,
           frozen: FrozenSet | None = None, cache: Path | None = None,
           progress: Progress | None = None) -> Ingested:
    """Read and decode everything in `source` (folder or table) and split it.

    `layout` is a format of pipelines.yaml, `frozen` the images that are test and no others,
    `cache` a file that spares unchanged images their decoding. Nothing is written to the source,
    and nothing at all but the cache. The result depends on the files, the settings and the seed
    alone. Raises DataError.
    """
    root, records = _read(source, layout)
    facts = _decode(root, records, cache, progress)
    if frozen:
        refuse_changes(frozen, {record.path: _entry(record, facts) for record in records})
    groups, warnings = group_copies(records, facts)
    splits = assign_splits(records, groups, seed=seed, test_fraction=settings.test_fraction,
                           calibration_fraction=settings.calibration_fraction,
                           frozen={entry.path for entry in frozen.entries} if frozen else None)
    refuse_copies(records, facts, splits)
    warnings += near_copies(records, facts, splits, settings.near_duplicates)
    manifest = Manifest.of([_row(record, facts[record.path], split, group) for
                            record, split, group in zip(records, splits, groups, strict=True)],
                           root)
    table = split_table(manifest)
    waiting = _waiting(records, splits, groups) if frozen else []
    return Ingested(manifest, table,
                    warnings + _remarks(table) + _remark_on_waiting(waiting, records, frozen),
                    {record.mask_path: facts[record.mask_path].sha256 for record in records
                     if record.mask_path}, waiting)


def present_entries(source: Path, layout: Source | str, *, cache: Path | None = None,
                    progress: Progress | None = None) -> dict[str, Entry]:
    """Every image of `source` as an entry of a test set, by its path; raises DataError."""
    root, records = _read(source, layout)
    facts = _decode(root, records, cache, progress)
    return {record.path: _entry(record, facts) for record in records}


def _read(source: Path, layout: Source | str) -> tuple[Path, list[Record]]:
    """The folder that paths start from, and the records."""
    try:
        records = read_source(source, layout if isinstance(layout, str) else layout.format)
        root = source.parent if source.is_file() else source
        _check_paths(root, records)
    except OSError as error:
        raise DataError(f"{printable(str(error.filename or source))} cannot be read: "
                        f"{error.strerror}; correct its permissions.") from None
    return root, records


def _decode(root: Path, records: Sequence[Record], cache: Path | None,
            progress: Progress | None) -> dict[str, Facts]:
    masks = [record.mask_path for record in records if record.mask_path]
    facts, bad = decode_all(root, [*(record.path for record in records), *masks], cache, progress)
    _refuse_unreadable(records, facts, bad)
    return facts


def _entry(record: Record, facts: dict[str, Facts]) -> Entry:
    mask = facts[record.mask_path].sha256 if record.mask_path else ""
    return Entry(record.path, facts[record.path].sha256, record.label, record.defect_type, mask)


def _waiting(records: Sequence[Record], splits: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Images left out that could be tested: nothing of their part is trained on."""
    learned = {group for group, split in zip(groups, splits, strict=True)
               if split in ("train", "calibration")}
    return [record.path for record, split, group in zip(records, splits, groups, strict=True)
            if split == "holdout" and given_split(record) != "holdout" and group not in learned]


def _remark_on_waiting(waiting: list[str], records: Sequence[Record],
                       frozen: FrozenSet | None) -> list[str]:
    if not waiting or not frozen:
        return []
    defects = sum(record.label for record in records if record.path in set(waiting))
    return [f"{len(waiting)} images ({len(waiting) - defects} good, {defects} defective) wait "
            f"outside the frozen test set {frozen.name!r}: nothing is trained or tested on them; "
            f"`hdm testset freeze {frozen.line} --add-waiting` makes a new set with them."]


def split_table(manifest: Manifest) -> pd.DataFrame:
    """Counts a split and defect type: columns split, defect_type, images, masks, groups."""
    counted = manifest.frame.groupby(["split", "defect_type"], as_index=False).agg(
        images=("path", "size"), masks=("mask_path", "count"), groups=("group", "nunique"))
    # Splits in the order in which they are used, the good ones first.
    order = pd.DataFrame({"split": counted["split"].map(SPLITS.index),
                          "kind": counted["defect_type"].ne(GOOD),
                          "name": counted["defect_type"]})
    return counted.loc[order.sort_values(["split", "kind", "name"]).index].reset_index(drop=True)


def _row(record: Record, facts: Facts, split: str, group: str) -> Row:
    return Row(record.path, split, record.label, record.defect_type, record.mask_path, group,
               facts.width, facts.height, facts.channels, facts.bit_depth, facts.sha256)


def _check_paths(root: Path, records: Sequence[Record]) -> None:
    """Refuse files outside the source and names that no table can hold."""
    inside = root.resolve()
    for record in records:
        for path in filter(None, (record.path, record.mask_path)):
            if printable(path) != path:
                raise DataError(f"{printable(path)}: expected a file name in UTF-8, found bytes "
                                "that are not; rename the file.")
            file = root / path
            if Path(path).is_absolute() or ".." in Path(path).parts \
                    or not file.resolve().is_relative_to(inside):
                kind = "a link that leads" if file.is_symlink() else "a path"
                raise DataError(f"{path}: expected a file inside {root}, found {kind} outside "
                                "it; put the file itself there or remove it.")


def _refuse_unreadable(records: Sequence[Record], facts: dict[str, Facts],
                       bad: dict[str, str]) -> None:
    """One sentence for all images and masks that cannot be used."""
    reasons = dict(bad)
    for record in records:
        image, mask = facts.get(record.path), facts.get(record.mask_path or "")
        if image and mask and (image.width, image.height) != (mask.width, mask.height):
            reasons[mask.path] = (f"a mask of {mask.width}x{mask.height} px for the image "
                                  f"{record.path} of {image.width}x{image.height} px")
    if reasons:
        named = listing([f"{path} ({why})" for path, why in sorted(reasons.items())])
        raise DataError(f"{len(reasons)} of {len(facts) + len(bad)} files cannot be used: {named}; "
                        "replace or remove them and run the same command again.")


def _remarks(table: pd.DataFrame) -> list[str]:
    """What the split cannot tell later stages."""
    test = table[table["split"] == "test"]
    defects = test[test["defect_type"] != GOOD]
    remarks = []
    if not len(defects):
        remarks.append("test has no defect images: metrics that need defects will be unavailable.")
    elif len(defects) == len(test):
        remarks.append("test has no good images: metrics that compare with good ones will be "
                       "unavailable.")
    bare = int((defects["images"] - defects["masks"]).sum())
    if bare:
        remarks.append(f"{bare} of {int(defects['images'].sum())} defect images in test have no "
                       "mask: pixel metrics leave them out.")
    return remarks
