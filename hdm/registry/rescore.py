"""A detector on today's test images: a number from another day proves nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.evaluation.collect import Collected
from hdm.settings import Compute

BATCH = 16


def rescore(folder: Path, test: Manifest, compute: Compute,
            progress: Callable[[int, int], None] | None = None) -> Collected:
    """What the detector in `folder` says of the test split, ready to be measured.

    Raises HDMError if the detector or an image cannot be read.
    """
    from hdm.detector import HDM

    detector = HDM.load(folder, device=compute.device, precision=compute.precision,
                        threads=compute.threads)
    return Collected.of(test, _predictions(detector, test, progress))


def _predictions(detector: Any, test: Manifest,
                 progress: Callable[[int, int], None] | None) -> Iterator[Any]:
    rows = list(test)
    for start in range(0, len(rows), BATCH):
        part = rows[start:start + BATCH]
        yield from detector.predict([read_image(test.image_file(row)) for row in part])
        if progress:
            progress(start + len(part), len(rows))
