"""Where in a line a picture is already, or one that is nearly the same."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hdm.dataset.images import pixel_hash
from hdm.dataset.manifest import Manifest
from hdm.errors import DataError
from hdm.ingest.decoding import decode_all
from hdm.ingest.duplicates import near_duplicates
from hdm.ingest.thumbnails import LineThumbnails, at_bits, thumbnail
from hdm.line import Line

LEARNED = ("train",)
TESTED = ("calibration", "test", "holdout")


class Match(NamedTuple):
    """A picture of the line that is the same or nearly so: its path, split and defect type."""

    path: str
    split: str
    defect_type: str
    exact: bool


def matches(line: Line, manifest: Manifest, image: np.ndarray) -> list[Match]:
    """Pictures of the line that show the same as `image`, those that are tested first.

    Raises DataError if images that are tested cannot be read, as then nobody can tell.
    """
    frame, digest = manifest.frame, pixel_hash(image)
    rows = dict.fromkeys(np.flatnonzero(frame["sha256"] == digest).tolist(), True)
    if not rows:
        rows = dict.fromkeys(_near(line, manifest, image), False)
    found = [Match(frame["path"].iloc[n], frame["split"].iloc[n], frame["defect_type"].iloc[n],
                   exact) for n, exact in rows.items()]
    return sorted(found, key=lambda match: match.split in LEARNED)


def _near(line: Line, manifest: Manifest, image: np.ndarray) -> list[int]:
    """Numbers of rows; near copies need other images to stand out from, so all are compared."""
    decoded = decode_all(manifest.root, list(manifest.frame["path"]),
                         line.work_folder("feedback") / "decoded.parquet")
    facts, bad = decoded.facts, decoded.bad
    frame = manifest.frame
    unread = [path for path, split in zip(frame["path"], frame["split"], strict=True)
              if path in bad and split in TESTED]
    if unread:
        raise DataError(f"expected to compare the picture with the images that {line.name} is "
                        f"tested on, but {len(unread)} of them cannot be read, first {unread[0]}; "
                        "make the source readable.")
    known = [number for number, path in enumerate(frame["path"]) if path in facts]
    bits = int(frame["bits"].max())
    aspects = [float(frame["width"].iloc[n] / frame["height"].iloc[n]) for n in known]
    new = len(known)
    own = thumbnail(image)
    stack = _WithOne(decoded.thumbnails((frame["path"].iloc[n] for n in known), bits),
                     own if bits >= 8 * image.dtype.itemsize else at_bits(own, bits), new)
    shape = np.array([*aspects, image.shape[1] / image.shape[0]])
    learned = np.array([frame["split"].iloc[n] in LEARNED for n in known] + [False])
    tested = ~learned
    tested[new] = False
    alone = np.arange(new + 1) == new
    found = set()
    for side, other in ((learned, tested), (tested, learned)):
        pairs = near_duplicates(stack, shape, side, other | alone)
        found |= {known[pair.first] for pair in pairs if pair.second == new}
    return sorted(found)


class _WithOne:
    """Thumbnails of a line, and one more behind them."""

    def __init__(self, line: LineThumbnails, own: NDArray[np.uint16], number: int) -> None:
        self._line, self._own, self._number = line, own, number

    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.uint16]:
        new = rows == self._number
        found = np.empty((len(rows), *self._own.shape), dtype=np.uint16)
        found[new], found[~new] = self._own, self._line[rows[~new]]
        return found
