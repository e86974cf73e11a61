"""Decoding all files of a source once, and remembering what came out.

The cache keeps facts, and thumbnails in a file beside it, never pixels; a file whose size or
modification time changed is decoded again. Facts are in memory, thumbnails are not.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hdm.cluster.spreading import HERE, spread
from hdm.dataset import outside
from hdm.dataset.drawn import looks_drawn
from hdm.dataset.images import UnreadableImage, pixel_hash, read_image
from hdm.dataset.tiff_pages import split_page
from hdm.errors import HDMError
from hdm.files import atomic_file
from hdm.ingest.thumbnails import LineThumbnails, ThumbnailFile, thumbnail

Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""

_DECODER = b"3"  # counted up when a file is decoded otherwise than before
_SCHEMA = pa.schema([
    ("path", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64()),
    ("width", pa.int64()), ("height", pa.int64()), ("channels", pa.int64()),
    ("bit_depth", pa.int64()), ("peak", pa.int64()), ("drawn", pa.bool_()),
    ("sha256", pa.string()), ("row", pa.int64()),
])
_BATCH = 2**14  # facts that are read or written at once
_WASTE = 2  # times the thumbnails in use that the file may hold


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decoded file turned out to be; sizes in px. peak: its largest value. drawn: whether
    it looks drawn, as masks are; None for a picture of one value. row: of its thumbnail."""

    path: str
    size: int
    mtime_ns: int
    width: int
    height: int
    channels: int
    bit_depth: int
    peak: int
    drawn: bool | None
    sha256: str
    row: int = -1


class Decoded(NamedTuple):
    """Facts of every readable file by its path, why the others are not, and all thumbnails."""

    facts: dict[str, Facts]
    bad: dict[str, str]
    file: ThumbnailFile

    def thumbnails(self, paths: Iterable[str], bits: int) -> LineThumbnails:
        """Of images in that order; bits: of a deep line's values."""
        seen = [self.facts[path] for path in paths]
        return LineThumbnails(self.file, [fact.row for fact in seen],
                              [fact.bit_depth for fact in seen], bits)


def decode_all(root: Path, paths: Iterable[str], cache: Path | None = None,
               progress: Progress | None = None, cluster: str = HERE) -> Decoded:
    """Decode every file in `paths` (relative to `root`). cluster: as `spread` takes it.

    `cache` is a Parquet file that is read if it fits and written anew; one that is damaged or
    cannot be written is no error, as it only saves time. Raises HDMError where thumbnails find no
    room on the disk.
    """
    wanted = sorted(set(paths))
    known, name, rows = _load(cache, root) if cache else ({}, "", 0)
    file = ThumbnailFile.beside(cache, name, rows) if cache else ThumbnailFile.unnamed()
    if file.name != name:  # its rows are not those that the cache means
        known = {}
    facts: dict[str, Facts] = {}
    bad: dict[str, str] = {}
    # Closed, as what still waits for a decoder when this fails must not outlive the decoders.
    with closing(spread(_asked, root, ((path, known.get(path)) for path in wanted), cluster,
                        file_of=lambda one: root / split_page(one[0])[0])) as results:
        for done, (path, result) in enumerate(zip(wanted, results, strict=True), start=1):
            if isinstance(result, str):
                bad[path] = result
            else:
                facts[path] = _kept(path, *result, file)
            if progress:
                progress(done, len(wanted))
    if cache and file.name and facts != known:
        with suppress(HDMError, OSError):
            facts, file = _store(cache, root, facts, file)
    return Decoded(facts, bad, file)


def _kept(path: str, fact: Facts, small: bytes | None, file: ThumbnailFile) -> Facts:
    """`fact` with the row of its thumbnail, which is new if it is given, and with this very `path`:
    a million that came from elsewhere would be a million more in memory."""
    try:
        return replace(fact, path=path, row=fact.row if small is None else file.add(small))
    except OSError as error:
        raise HDMError(f"expected room on the disk for small pictures of all images "
                       f"({error.strerror}); free some and run the same command again.") from error


def _asked(root: Path, some: Iterable[tuple[str, Facts | None]]
           ) -> Iterator[tuple[Facts, bytes | None] | str]:
    return outside.each(lambda one: _facts(root, *one), some)


def _facts(root: Path, path: str, known: Facts | None) -> tuple[Facts, bytes | None] | str:
    """Facts of one file and its thumbnail, if it is new, or the reason why there are none."""
    file = root / path
    try:
        status = Path(split_page(file)[0]).stat()
    except OSError as error:
        return "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
    if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
        return known, None
    try:
        return outside.in_worker(_decoded, file, path, status.st_size, status.st_mtime_ns,
                                 name=file)
    except UnreadableImage as error:
        return error.reason


def _decoded(file: Path, path: str, size: int, mtime_ns: int) -> tuple[Facts, bytes]:
    """The facts and a thumbnail alone come back from where the file is decoded."""
    image = read_image(file)
    return Facts(
        path, size, mtime_ns, width=image.shape[1], height=image.shape[0],
        channels=1 if image.ndim == 2 else 3, bit_depth=8 * image.dtype.itemsize,
        peak=int(image.max()), drawn=looks_drawn(image),
        sha256=pixel_hash(image)), thumbnail(image).astype("<u2").tobytes()


def _load(cache: Path, root: Path) -> tuple[dict[str, Facts], str, int]:
    """Facts by path, and the name of the file of thumbnails with the number of rows it had."""
    try:
        with pq.ParquetFile(cache) as table:
            said = table.schema_arrow.metadata or {}
            if (said.get(b"root"), said.get(b"decoder")) != (os.fsencode(root), _DECODER) \
                    or not table.schema_arrow.equals(_SCHEMA):
                return {}, "", 0
            return ({row["path"]: Facts(**row) for batch in table.iter_batches(_BATCH)
                     for row in batch.to_pylist()},
                    said.get(b"thumbnails", b"").decode(), int(said.get(b"rows", b"0")))
    except (OSError, pa.ArrowException, ValueError):
        return {}, "", 0


def _store(cache: Path, root: Path, facts: dict[str, Facts], file: ThumbnailFile,
           ) -> tuple[dict[str, Facts], ThumbnailFile]:
    """Write the cache; facts and thumbnails as they are now. Raises HDMError, OSError."""
    if file.rows > _WASTE * len(facts):
        file = file.compacted(cache, np.array([fact.row for fact in facts.values()]))
        facts = {path: replace(fact, row=row) for row, (path, fact) in enumerate(facts.items())}
    schema = _SCHEMA.with_metadata({
        b"root": os.fsencode(root), b"decoder": _DECODER, b"thumbnails": file.name.encode(),
        b"rows": str(file.rows).encode()})
    file.sync()
    with atomic_file(cache) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for batch in _batches(facts.values()):
            writer.write_batch(batch)
    file.only(cache)
    return facts, file


def _batches(facts: Iterable[Facts]) -> Iterator[pa.RecordBatch]:
    names, rest = [field.name for field in fields(Facts)], iter(facts)
    while some := list(islice(rest, _BATCH)):
        yield pa.record_batch([[getattr(fact, name) for fact in some] for name in names],
                              schema=_SCHEMA)
