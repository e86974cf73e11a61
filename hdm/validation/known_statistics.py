"""What was measured of images before: a file that did not change is not decoded again.

A file whose size and time of modification are those at its last measurement, and of which the
manifest says the same pixels, counts as unchanged, as it does for ingest. The table is in the
manifest's order and read row by row beside it, so that it is never in memory.
"""

import os
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.tiff_pages import split_page
from hdm.errors import HDMError
from hdm.files import atomic_file

_MEASURE = b"1"  # counted up when something is measured otherwise than before
_SCHEMA = pa.schema([
    ("path", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64()),
    ("sha256", pa.string()), ("bits", pa.int64()),
    ("width", pa.int64()), ("height", pa.int64()), ("channels", pa.int64()),
    ("bit_depth", pa.int64()), ("mean", pa.float64()), ("contrast", pa.float64()),
    ("dark_share", pa.float64()), ("bright_share", pa.float64()), ("sharpness", pa.float64()),
    ("drawn", pa.bool_()),
])
_BATCH = 2**14  # rows that are read or written at once


class Stamp(NamedTuple):
    """What tells whether an image is still what was measured. sha256, bits: the manifest's."""

    size: int
    mtime_ns: int
    sha256: str
    bits: int


class Known(NamedTuple):
    """An image as it was measured: fields of `Statistics` by their names."""

    stamp: Stamp
    values: dict[str, Any]


def stamp_of(manifest: Manifest, row: Row) -> Stamp | None:
    """Of the file as it is now; None where it cannot be looked at."""
    try:
        status = Path(split_page(manifest.image_file(row))[0]).stat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns, row.sha256, row.bits)


def with_known(manifest: Manifest, cache: Path | None) -> Iterator[tuple[Row, Known | None]]:
    """Every row of the manifest with what `cache` knows of its path; a cache that is missing,
    damaged, or of another source knows nothing more."""
    known = _read(cache, manifest.root) if cache else iter(())
    path, found = next(known, ("", None))
    for row in manifest:
        while found and path < row.path:
            path, found = next(known, ("", None))
        yield row, found if found and path == row.path else None


def _read(cache: Path, root: Path) -> Iterator[tuple[str, Known]]:
    with suppress(OSError, pa.ArrowException, ValueError), pq.ParquetFile(cache) as table:
        said = table.schema_arrow.metadata or {}
        if (said.get(b"root"), said.get(b"measure")) != (os.fsencode(root), _MEASURE) \
                or not table.schema_arrow.equals(_SCHEMA):
            return
        for batch in table.iter_batches(_BATCH):
            for values in batch.to_pylist():
                stamp = Stamp(*(values.pop(name) for name in Stamp._fields))
                yield values["path"], Known(stamp, values)


def store(cache: Path, manifest: Manifest, statistics: pd.DataFrame,
          stamps: "array[int]") -> None:
    """Write what is known now; one that cannot be written is no error, as it only saves time.

    statistics: one row a row of the manifest. stamps: size and time of each file before it was
    measured, one after the other; of a file that could not be read, or is not what the manifest
    says, nothing is kept.
    """
    times = np.frombuffer(stamps, dtype=np.int64).reshape(-1, 2)
    schema = _SCHEMA.with_metadata({b"root": os.fsencode(manifest.root), b"measure": _MEASURE})
    with suppress(HDMError, OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(cache) as temporary, pq.ParquetWriter(temporary, schema) as writer:
            for start in range(0, len(statistics), _BATCH):
                some = slice(start, start + _BATCH)
                rows = statistics.iloc[some].assign(
                    size=times[some, 0], mtime_ns=times[some, 1],
                    sha256=manifest.frame["sha256"].iloc[some].to_numpy(),
                    bits=manifest.frame["bits"].iloc[some].to_numpy())
                good = rows[rows["unchanged"].fillna(False).to_numpy(dtype=bool)]
                writer.write_table(pa.Table.from_pandas(
                    good[_SCHEMA.names], schema=_SCHEMA, preserve_index=False)
                    .replace_schema_metadata(schema.metadata))
