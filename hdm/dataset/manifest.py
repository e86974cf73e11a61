"""The manifest: one row an image, decided once at ingest and read by every later stage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hdm.errors import DataError
from hdm.files import atomic_file

SPLITS = ("train", "calibration", "test", "holdout")
MASKS = "masks"
"""The folder of masks beside a manifest's file."""
GOOD = "good"
"""Defect type of every image without a defect."""
_BATCH = 2**12  # rows that are plain Python at once

SCHEMA = pa.schema([
    pa.field("path", pa.string(), nullable=False),
    pa.field("split", pa.string(), nullable=False),
    pa.field("label", pa.int64(), nullable=False),
    pa.field("defect_type", pa.string(), nullable=False),
    pa.field("mask_path", pa.string()),
    pa.field("group", pa.string(), nullable=False),
    pa.field("width", pa.int64(), nullable=False),
    pa.field("height", pa.int64(), nullable=False),
    pa.field("channels", pa.int64(), nullable=False),
    pa.field("bit_depth", pa.int64(), nullable=False),
    pa.field("bits", pa.int64(), nullable=False),
    pa.field("sha256", pa.string(), nullable=False),
])


class Row(NamedTuple):
    """One image: paths are POSIX, `path` relative to the source root and `mask_path` to the folder
    of masks; sizes in px. bits: of the line's values, which a container of bit_depth holds."""

    path: str
    split: str
    label: int
    defect_type: str
    mask_path: str | None
    group: str
    width: int
    height: int
    channels: int
    bit_depth: int
    bits: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All images of a line (`frame`, sorted by path), the folder their paths start from, and the
    one of their masks, binary pictures as large as the images (None: the same one)."""

    frame: pd.DataFrame
    root: Path
    masks: Path | None = None

    @classmethod
    def of(cls, rows: Iterable[Row], root: Path, masks: Path | None = None) -> "Manifest":
        """A manifest of `rows`, put in order of path; raises DataError if a row is not legal."""
        table = pa.Table.from_batches(_batches(rows), SCHEMA).sort_by("path").combine_chunks()
        return cls(_checked(table, "the manifest"), root, masks)

    @classmethod
    def load(cls, file: Path, root: Path) -> "Manifest":
        """Read and check `file`; raises DataError if it is missing, damaged or out of schema."""
        try:
            table = pq.read_table(file)
        except FileNotFoundError:
            raise DataError(f"expected the manifest {file}, which does not exist; run the ingest "
                            "stage first.") from None
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{file} is not a readable Parquet table ({error}); run the ingest "
                            "stage again.") from None
        return cls(_checked(table, str(file)), root, file.parent / MASKS)

    def save(self, file: Path) -> None:
        """Write atomically; equal manifests give equal bytes. Raises DataError, HDMError."""
        table = _table(self.frame)
        _checked(table, "the manifest")
        with atomic_file(file) as temporary:
            pq.write_table(table.replace_schema_metadata(None), temporary)

    def split(self, name: str) -> "Manifest":
        """The rows of one split, in the same order; raises DataError for an unknown name."""
        if name not in SPLITS:
            raise DataError(f"no split {name!r}; expected one of {', '.join(SPLITS)}.")
        return Manifest(self.frame[self.frame["split"] == name].reset_index(drop=True), self.root,
                        self.masks)

    def where(self, chosen: Sequence[bool] | NDArray[np.bool_]) -> "Manifest":
        """The rows for which `chosen` (n,) is true, in the same order."""
        return Manifest(self.frame[np.asarray(chosen)].reset_index(drop=True), self.root,
                        self.masks)

    def row(self, number: int) -> Row:
        """The row of that number; to ask for some costs no list of all."""
        return Row(*(column[number].as_py() for column in self._arrow.columns))

    @cached_property
    def _arrow(self) -> pa.Table:
        return _table(self.frame)

    def image_file(self, row: Row) -> Path:
        """Where the image of `row` is."""
        return self.root / row.path

    def mask_file(self, row: Row) -> Path | None:
        """Where the ground truth of `row` is; None if it has none."""
        return (self.masks or self.root) / row.mask_path if isinstance(row.mask_path, str) else None

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[Row]:
        for batch in self._arrow.to_batches(_BATCH):
            yield from map(Row._make, zip(*(column.to_pylist() for column in batch.columns),
                                          strict=True))


def _batches(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    rest = iter(rows)
    while some := list(islice(rest, _BATCH)):
        yield pa.RecordBatch.from_pylist([row._asdict() for row in some], schema=SCHEMA)


def _table(frame: pd.DataFrame) -> pa.Table:
    """`frame` as Arrow; NaN and None in mask_path both become null."""
    missing = [name for name in SCHEMA.names if name not in frame.columns]
    if missing or len(frame.columns) != len(SCHEMA.names):
        raise DataError(f"the manifest: expected the columns {', '.join(SCHEMA.names)}; found "
                        f"{', '.join(map(str, frame.columns))}.")
    try:
        return pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False).combine_chunks()
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"the manifest: a value has the wrong type ({error}).") from None


def _checked(table: pa.Table, where: str) -> pd.DataFrame:
    """The table as a frame in the manifest's column order; raises DataError if not legal."""
    found = {field.name: field.type for field in table.schema}
    expected = {field.name: field.type for field in SCHEMA}
    if found != expected:
        raise DataError(f"{where}: expected the columns {', '.join(expected)} of the manifest, "
                        f"found {', '.join(found)}; run the ingest stage again.")
    frame = table.select(SCHEMA.names).to_pandas()
    frame["mask_path"] = frame["mask_path"].astype(object).where(frame["mask_path"].notna(), None)
    for problem, bad in _problems(frame).items():
        if bad.any():
            raise DataError(f"{where}: {problem} ({frame['path'][bad].iloc[0]}); run the ingest "
                            "stage again.")
    return frame


def _problems(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """What a manifest must not contain -> which rows do."""
    good = frame["label"] == 0
    return {
        "a value is missing": frame.drop(columns="mask_path").isna().any(axis=1),
        "a path is not relative to the source": ~frame["path"].map(_is_relative).astype(bool),
        "a mask path is not relative to the folder of masks":
            ~frame["mask_path"].map(lambda p: p is None or _is_relative(p)).astype(bool),
        "a path occurs twice": frame["path"].duplicated(),
        "the rows are not in order of path":
            frame["path"].ne(frame["path"].sort_values(ignore_index=True)),
        "an unknown split": ~frame["split"].isin(SPLITS),
        "a label is neither 0 nor 1": ~frame["label"].isin((0, 1)),
        "label and defect type disagree": good.ne(frame["defect_type"] == GOOD),
        "a defect in train or calibration":
            ~good & frame["split"].isin(("train", "calibration")),
        "an empty image": (frame["width"] < 1) | (frame["height"] < 1),
        "channels are neither 1 nor 3": ~frame["channels"].isin((1, 3)),
        "a bit depth is neither 8 nor 16": ~frame["bit_depth"].isin((8, 16)),
        "more bits than the pixels have": ~frame["bits"].between(1, frame["bit_depth"]),
        "a SHA-256 of another length": frame["sha256"].str.len().ne(64),
    }


def _is_relative(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts
