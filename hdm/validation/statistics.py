"""Measured statistics: one row an image, the evidence that expectations are held against."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hdm.cluster.spreading import HERE, spread
from hdm.dataset.drawn import looks_drawn
from hdm.dataset.images import UnreadableImage, pixel_hash, read_image, read_mask, to_float
from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.windowed import in_threads
from hdm.validation.known_statistics import Known, Stamp, stamp_of, store, with_known

_HALF_STEP = 0.5 / 255
_BATCH = 2**14  # rows that are plain Python at once
_SMALL = 128 * 128
"""Pixels of a picture below which most of its measuring is Python, which two threads only wait for:
at 64 px they take 1.3 ms a picture, and one takes 0.9."""
_DTYPES = {
    "problem": "str", "mask_problem": "str", "unchanged": "boolean",
    "mask_matches_size": "boolean", "drawn": "boolean", "width": "Int64", "height": "Int64",
    "channels": "Int64",
    "bit_depth": "Int64", "mask_width": "Int64", "mask_height": "Int64", "mean": "float64",
    "contrast": "float64", "dark_share": "float64", "bright_share": "float64",
    "sharpness": "float64", "mask_area": "float64",
}


class Statistics(NamedTuple):
    """What was measured on one image; None where the file could not be decoded.

    Brightness is of the grey image in [0, 1] (mean of the channels), where 1 is the largest value
    that the line's bits can tell: `mean`, `contrast` (standard deviation), `sharpness` (variance
    of the Laplacian). `dark_share` and `bright_share` are the shares of values within half an
    8-bit step of either end. `drawn`: it looks as masks do; None for a picture of one value.
    `mask_area` is a share of the mask. `unchanged`: the pixels are those that the manifest was
    made from.
    """

    path: str
    decodable: bool
    problem: str | None = None
    unchanged: bool | None = None
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    bit_depth: int | None = None
    mean: float | None = None
    contrast: float | None = None
    dark_share: float | None = None
    bright_share: float | None = None
    sharpness: float | None = None
    drawn: bool | None = None
    mask_present: bool = False
    mask_problem: str | None = None
    mask_width: int | None = None
    mask_height: int | None = None
    mask_matches_size: bool | None = None
    mask_area: float | None = None


def measure(manifest: Manifest, *, threads: int = 2, cluster: str = HERE,
            cache: Path | None = None,
            progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
    """Statistics of every image, in the manifest's order, one column a field of `Statistics`.

    A bad file is recorded, never raised. `progress(done, total)` is called after each image.
    cluster: as `spread` takes it. cache: a file that spares unchanged images their measuring (see
    `known_statistics`).
    """
    tables: list[pd.DataFrame] = []
    rows: list[Statistics] = []
    stamps, new = array("q"), 0
    places = manifest.where(np.zeros(len(manifest), dtype=bool))  # and no rows to be sent
    pixels = manifest.frame["width"] * manifest.frame["height"]
    alone = cluster != HERE or pixels.median() < _SMALL
    measured = spread(partial(_measured, 1 if alone else threads), places,
                      with_known(manifest, cache), cluster,
                      file_of=lambda item: manifest.image_file(item[0]))
    for done, (row, stamp, known) in enumerate(measured, start=1):
        rows.append(row)
        stamps.extend(stamp[:2] if stamp else (-1, -1))
        new += not known
        if len(rows) == _BATCH:
            tables.append(_table(rows))
            rows = []
        if progress:
            progress(done, len(manifest))
    found = pd.concat([*tables, _table(rows)], ignore_index=True) if tables else _table(rows)
    if cache and new:
        store(cache, manifest, found, stamps)
    return found


Measured = tuple[Statistics, Stamp | None, bool]


def _measured(threads: int, places: Manifest, items: Iterable[tuple[Row, Known | None]],
              ) -> Iterator[Measured]:
    work = partial(_measure, places)
    return map(work, items) if threads == 1 else in_threads(work, items, threads)


def _table(rows: list[Statistics]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=Statistics._fields).astype(_DTYPES)


def read_statistics(file: Path) -> pd.DataFrame:
    """What `measure` returned, from the Parquet file of the stage validate."""
    return pd.read_parquet(file)[list(Statistics._fields)].astype(_DTYPES)


def _measure(manifest: Manifest, item: tuple[Row, Known | None]) -> Measured:
    """Statistics of an image and its mask, what told whether its file is the known one, and
    whether it was. Masks, which each ingest writes anew, are measured each time."""
    row, known = item
    stamp = stamp_of(manifest, row)  # before it is read: a later change is seen the next time
    if known and known.stamp == stamp:
        found = Statistics(decodable=True, unchanged=True, **known.values)
        return _with_mask(found, manifest, row), stamp, True
    return measure_image(manifest, row), stamp, False


def measure_image(manifest: Manifest, row: Row) -> Statistics:
    """Statistics of one image and its mask."""
    try:
        image = read_image(manifest.image_file(row))
    except UnreadableImage as error:
        found = Statistics(row.path, decodable=False, problem=error.reason)
    else:
        found = _of_pixels(row, image)
    return _with_mask(found, manifest, row)


def sharpness(grey: NDArray[np.float32]) -> float:
    """Variance of the 4-neighbour Laplacian of (H, W) in [0, 1]; 0 below 3 px."""
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var(dtype=np.float64))


def _of_pixels(row: Row, image: NDArray[np.uint8] | NDArray[np.uint16]) -> Statistics:
    values = to_float(image) * np.float32(np.iinfo(image.dtype).max / (2**row.bits - 1))
    grey = values if values.ndim == 2 else values.mean(axis=2)
    return Statistics(
        path=row.path,
        decodable=True,
        unchanged=pixel_hash(image) == row.sha256,
        width=image.shape[1],
        height=image.shape[0],
        channels=1 if image.ndim == 2 else 3,
        bit_depth=8 * image.dtype.itemsize,
        mean=float(grey.mean(dtype=np.float64)),
        contrast=float(grey.std(dtype=np.float64)),
        dark_share=float(np.mean(values <= _HALF_STEP)),
        bright_share=float(np.mean(values >= 1 - _HALF_STEP)),
        sharpness=sharpness(grey),
        drawn=looks_drawn(image),
    )


def _with_mask(found: Statistics, manifest: Manifest, row: Row) -> Statistics:
    file = manifest.mask_file(row)
    if file is None:
        return found
    try:
        mask = read_mask(file)
    except UnreadableImage as error:
        return found._replace(mask_present=True, mask_problem=error.reason)
    height, width = mask.shape
    return found._replace(
        mask_present=True,
        mask_width=width,
        mask_height=height,
        mask_matches_size=(width, height) == (found.width, found.height)
        if found.decodable else None,
        mask_area=float(mask.mean()),
    )
