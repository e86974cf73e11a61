"""Small pictures of all images of a line, on disk: a million of them would fill memory."""

import fcntl
import os
import tempfile
import uuid
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.images import to_float

SIDE = 64
"""Side of a thumbnail in px: JPEG keeps detail at this scale, fine noise is averaged out."""
BYTES = SIDE * SIDE * 2
"""Of a thumbnail as it is stored."""


def thumbnail(image: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(SIDE, SIDE) luminance over the whole 16-bit range, whatever the image's size and depth."""
    values = to_float(image)
    grey = values.mean(axis=2) if values.ndim == 3 else values
    small = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.rint(np.asarray(small).clip(0, 1) * 65535).astype(np.uint16)


class Pictures(Protocol):
    """(N, SIDE, SIDE) uint16, of which some are asked for at a time: an array is one."""

    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.uint16]: ...


class ThumbnailFile:
    """Thumbnails in one file, a row each; new ones are added behind the first `rows`.

    Beside a cache the file has a name of its own, which the cache says; it is the opener's alone.
    Without a name it is gone when it is closed.
    """

    def __init__(self, stream: BinaryIO, rows: int, name: str = "") -> None:
        self._stream, self.rows, self.name = stream, rows, name

    @classmethod
    def unnamed(cls) -> "ThumbnailFile":
        """An empty one, where temporary files are."""
        return cls(tempfile.TemporaryFile(), 0)  # type: ignore[arg-type]

    @classmethod
    def beside(cls, cache: Path, name: str, rows: int) -> "ThumbnailFile":
        """The file `name` in the cache's folder with so many rows; an empty one where it is not
        that, and one without a name where none can be written or another process has it."""
        try:
            found = cache.parent / Path(name).name if name else None
            if found is None or not found.is_file() or found.stat().st_size < rows * BYTES:
                cache.parent.mkdir(parents=True, exist_ok=True)
                found, rows = cache.with_name(f"{cache.stem}.{uuid.uuid4().hex[:8]}.thumbnails"), 0
            stream = found.open("r+b" if rows else "w+b", buffering=0)
        except OSError:
            return cls.unnamed()
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            return cls.unnamed()
        return cls(stream, rows, found.name)  # type: ignore[arg-type]

    def add(self, content: bytes) -> int:
        """The row in which BYTES of a thumbnail are from now on; raises OSError."""
        os.pwrite(self._stream.fileno(), content, self.rows * BYTES)
        self.rows += 1
        return self.rows - 1

    def read(self, rows: NDArray[np.intp]) -> NDArray[np.uint16]:
        """(n, SIDE, SIDE), as they were stored; raises OSError."""
        found = np.empty((len(rows), SIDE, SIDE), dtype="<u2")
        # Neighbours are read at once: nearly all are asked for in the order of the file.
        cuts = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        for start, stop in pairwise(cuts):
            if start < stop:
                os.preadv(self._stream.fileno(), [found[start:stop].data.cast("B")],
                          int(rows[start]) * BYTES)
        return found.astype(np.uint16, copy=False)

    def compacted(self, cache: Path, rows: NDArray[np.intp]) -> "ThumbnailFile":
        """A new file beside `cache` of these rows alone, in this order; raises OSError."""
        new = ThumbnailFile.beside(cache, "", 0)
        for start in range(0, len(rows), 1024):
            for picture in self.read(rows[start:start + 1024]):
                new.add(picture.astype("<u2").tobytes())
        return new

    def sync(self) -> None:
        """Wait until it is on the disk; raises OSError."""
        os.fsync(self._stream.fileno())

    def only(self, cache: Path) -> None:
        """Remove what was there before of the same cache; raises OSError."""
        for other in cache.parent.glob(f"{cache.stem}.*.thumbnails"):
            if other.name != self.name:
                other.unlink(missing_ok=True)


class LineThumbnails:
    """Pictures of a line's images in an order of its own, their values over the line's bits."""

    def __init__(self, file: ThumbnailFile, rows: Sequence[int], depths: Sequence[int], bits: int,
                 ) -> None:
        self._file, self._rows = file, np.asarray(rows, dtype=np.intp)
        self._deep, self._bits = np.asarray(depths) > bits, bits

    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.uint16]:
        found = self._file.read(self._rows[rows])
        deep = self._deep[rows]
        if deep.any():
            found[deep] = at_bits(found[deep], self._bits)
        return found


def at_bits(stored: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Values of containers of 16 bits as a line means them whose values have `bits`."""
    return (stored.astype(np.uint32) * 65535 // (2**bits - 1)).clip(max=65535).astype(np.uint16)
