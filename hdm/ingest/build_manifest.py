"""From a source of images to a manifest: read, decode, group, split, refuse what would leak."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from hdm.cluster.spreading import HERE
from hdm.dataset.aside import LEFT_ASIDE, told
from hdm.dataset.frozen_set import FrozenSet, refuse_changes
from hdm.dataset.manifest import GOOD, MASKS, SPLITS, Manifest, Row
from hdm.dataset.problems import printable
from hdm.dataset.test_set import Entry, entries_of
from hdm.errors import DataError
from hdm.files import write_json
from hdm.ingest.copies import group_copies, near_copies, refuse_copies
from hdm.ingest.decoding import Decoded, Facts, Progress, decode_all
from hdm.ingest.ground_truth import GroundTruth, mask_path, resolve
from hdm.ingest.part_names import with_parts
from hdm.ingest.readers import Reading, Record, read_source
from hdm.ingest.remarks import (
    drawn_images,
    refuse_unreadable,
    remark_on_bits,
    remarks_on,
)
from hdm.ingest.source_paths import check_paths
from hdm.ingest.splits import assign_splits, given_split
from hdm.ingest.stacks import expand
from hdm.ingest.value_bits import value_bits
from hdm.pipelines import Source
from hdm.settings import Ingest


@dataclass(frozen=True)
class Ingested:
    """A manifest, its split table (see `split_table`) and what a person should know about it.

    truth: the masks. aside: files of the source that are not used, and why.
    waiting: paths of the images that could join the frozen test set, if they are frozen with it
    under a new name.
    """

    manifest: Manifest
    table: pd.DataFrame
    warnings: list[str]
    truth: GroundTruth
    aside: dict[str, str]
    waiting: list[str]

    @property
    def mask_hashes(self) -> dict[str, str]:
        """SHA-256 of the pixels of each mask, by its path in the manifest."""
        return {mask_path(image): mask.sha256 for image, mask in self.truth.masks.items()}

    @property
    def tested(self) -> tuple[Entry, ...]:
        """The test split."""
        return entries_of(self.manifest, self.mask_hashes)

    def save(self, folder: Path) -> None:
        """Write manifest.parquet, masks/ and masks.json (hashes, so that a corrected mask is
        noticed; training does not depend on it), and left_aside.json."""
        self.manifest.save(folder / "manifest.parquet")
        self.truth.write(folder / MASKS)
        write_json(folder / "masks.json", self.mask_hashes)
        write_json(folder / LEFT_ASIDE, self.aside)


def ingest(source: Path, layout: Source, settings: Ingest, seed: int, *,
           frozen: FrozenSet | None = None, cache: Path | None = None,
           progress: Progress | None = None, cluster: str = HERE) -> Ingested:
    """Read and decode everything in `source` (folder or table) and split it.

    `layout` is what pipelines.yaml says of the source, `frozen` the images that are test and no
    others, `cache` a file that spares unchanged images their decoding, `cluster` is as `spread`
    takes it. Nothing is written to the source, and nothing at all but the cache. The result depends
    on the files, the settings and the seed alone. Raises DataError.
    """
    root, found = _read(source, layout)
    named, of_parts = with_parts(found.records, layout.part_rule)
    records, decoded, truth = _decode(root, named, settings, cache, progress, cluster)
    facts = decoded.facts
    drawn = drawn_images(records, facts, layout, settings.drawn_images)
    if frozen:
        refuse_changes(frozen, _entries(records, facts, truth))
    groups, warnings = group_copies(records, facts)
    splits = assign_splits(records, groups, seed=seed, test_fraction=settings.test_fraction,
                           calibration_fraction=settings.calibration_fraction,
                           frozen={entry.path for entry in frozen.entries} if frozen else None)
    refuse_copies(records, facts, splits)
    bits = value_bits(records, facts)
    warnings += near_copies(records, decoded, splits, bits, settings.near_duplicates)
    manifest = Manifest.of((
        _row(record, facts[record.path], split, group, bits, record.path in truth.masks)
        for record, split, group in zip(records, splits, groups, strict=True)), root)
    table = split_table(manifest)
    waiting = _waiting(records, splits, groups) if frozen else []
    notes = [*found.notes, *truth.notes, *drawn, *remark_on_bits(facts, bits), *warnings,
             *remarks_on(table), *_remark_on_waiting(waiting, records, frozen),
             *told(found.aside), *of_parts]
    return Ingested(manifest, table, notes, truth, found.aside, waiting)


def present_entries(source: Path, layout: Source, settings: Ingest, *, cache: Path | None = None,
                    progress: Progress | None = None) -> dict[str, Entry]:
    """Every image of `source` as an entry of a test set, by its path; raises DataError."""
    root, found = _read(source, layout)
    records, decoded, truth = _decode(root, found.records, settings, cache, progress, HERE)
    return _entries(records, decoded.facts, truth)


def _read(source: Path, layout: Source) -> tuple[Path, Reading]:
    """The folder that paths start from, and what is in it, stacks taken apart."""
    try:
        found = read_source(source, layout)
        root = source.parent if source.is_file() else source
        check_paths(root, found.records)
        records, notes = expand(root, found.records)
    except OSError as error:
        raise DataError(f"{printable(str(error.filename or source))} cannot be read: "
                        f"{error.strerror}; correct its permissions.") from None
    return root, replace(found, records=records, notes=(*found.notes, *notes))


def _decode(root: Path, records: list[Record], settings: Ingest, cache: Path | None,
            progress: Progress | None, cluster: str) -> tuple[list[Record], Decoded, GroundTruth]:
    decoded = decode_all(root, (record.path for record in records), cache, progress, cluster)
    truth = resolve(root, records, decoded.facts, settings.masks)
    refuse_unreadable(decoded.bad | truth.bad,
                      len(records) + sum(len(r.masks) for r in records))
    return records, decoded, truth


def _entries(records: Sequence[Record], facts: dict[str, Facts], truth: GroundTruth,
             ) -> dict[str, Entry]:
    masks = {path: mask.sha256 for path, mask in truth.masks.items()}
    return {record.path: Entry(record.path, facts[record.path].sha256, record.label,
                               record.defect_type, masks.get(record.path, ""))
            for record in records}


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
    outside = set(waiting)
    defects = sum(record.label for record in records if record.path in outside)
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


def _row(record: Record, facts: Facts, split: str, group: str, bits: int, masked: bool) -> Row:
    return Row(record.path, split, record.label, record.defect_type,
               mask_path(record.path) if masked else None, group, facts.width, facts.height,
               facts.channels, facts.bit_depth, min(bits, facts.bit_depth), facts.sha256)
