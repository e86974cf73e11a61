"""Decoding all files of a source once, and remembering what came out.

The cache keeps facts and thumbnails, never pixels; a file whose size or modification time changed
is decoded again.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hdm.dataset import outside
from hdm.dataset.drawn import looks_drawn
from hdm.dataset.images import UnreadableImage, pixel_hash, read_image
from hdm.dataset.tiff_pages import split_page
from hdm.errors import HDMError
from hdm.files import atomic_file
from hdm.ingest.duplicates import SIDE, thumbnail

Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""

_DECODER = b"2"  # counted up when a file is decoded otherwise than before
_SCHEMA = pa.schema([
    ("path", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64()),
    ("width", pa.int64()), ("height", pa.int64()), ("channels", pa.int64()),
    ("bit_depth", pa.int64()), ("peak", pa.int64()), ("drawn", pa.bool_()),
    ("sha256", pa.string()), ("thumbnail", pa.binary()),
])


@dataclass(frozen=True)
class Facts:
    """What a decoded file turned out to be; sizes in px. peak: its largest value. drawn: whether
    it looks drawn, as masks are; None for a picture of one value."""

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
    thumbnail: bytes

    def thumbnail_array(self, bits: int) -> NDArray[np.uint16]:
        """(SIDE, SIDE) luminance over the whole 16-bit range; bits: of a deep line's values."""
        stored = np.frombuffer(self.thumbnail, dtype="<u2").reshape(SIDE, SIDE)
        if bits >= self.bit_depth:
            return stored
        return (stored.astype(np.uint32) * 65535 // (2**bits - 1)).clip(max=65535).astype(np.uint16)


def decode_all(root: Path, paths: Iterable[str], cache: Path | None = None,
               progress: Progress | None = None) -> tuple[dict[str, Facts], dict[str, str]]:
    """Facts of every readable file in `paths` (relative to `root`), and why the others are not.

    `cache` is a Parquet file that is read if it fits and written anew; one that is damaged or
    cannot be written is no error, as it only saves time.
    """
    wanted = sorted(set(paths))
    known = _load(cache, root) if cache else {}
    facts: dict[str, Facts] = {}
    bad: dict[str, str] = {}
    results = outside.each(lambda path: _facts(root, path, known.get(path)), wanted)
    for done, (path, result) in enumerate(zip(wanted, results, strict=True), start=1):
        if isinstance(result, Facts):
            facts[path] = result
        else:
            bad[path] = result
        if progress:
            progress(done, len(wanted))
    if cache and facts != known:
        _store(cache, root, list(facts.values()))
    return facts, bad


def _facts(root: Path, path: str, known: Facts | None) -> Facts | str:
    """Facts of one file, or the reason why there are none."""
    file = root / path
    try:
        status = Path(split_page(file)[0]).stat()
    except OSError as error:
        return "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
    if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
        return known
    try:
        return outside.in_worker(_decoded, file, path, status.st_size, status.st_mtime_ns,
                                 name=file)
    except UnreadableImage as error:
        return error.reason


def _decoded(file: Path, path: str, size: int, mtime_ns: int) -> Facts:
    """The facts alone come back from where the file is decoded."""
    image = read_image(file)
    return Facts(
        path, size, mtime_ns, width=image.shape[1], height=image.shape[0],
        channels=1 if image.ndim == 2 else 3, bit_depth=8 * image.dtype.itemsize,
        peak=int(image.max()), drawn=looks_drawn(image),
        sha256=pixel_hash(image), thumbnail=thumbnail(image).astype("<u2").tobytes())


def _load(cache: Path, root: Path) -> dict[str, Facts]:
    try:
        table = pq.read_table(cache)
    except (OSError, pa.ArrowException):
        return {}
    metadata = table.schema.metadata or {}
    known = {b"root": os.fsencode(root), b"decoder": _DECODER}
    if {key: metadata.get(key) for key in known} != known or not table.schema.equals(_SCHEMA):
        return {}
    return {row["path"]: Facts(**row) for row in table.to_pylist()}


def _store(cache: Path, root: Path, facts: list[Facts]) -> None:
    table = pa.Table.from_pylist([asdict(fact) for fact in facts], schema=_SCHEMA)
    try:
        with atomic_file(cache) as temporary:
            pq.write_table(table.replace_schema_metadata(
                {b"root": os.fsencode(root), b"decoder": _DECODER}), temporary)
    except (HDMError, OSError):
        return
