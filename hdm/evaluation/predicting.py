"""A detector's predictions of a split, one batch at a time: memory does not grow with the split."""

from collections.abc import Callable, Iterator
from itertools import islice

from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.detector.detector import HDM, Prediction

BATCH = 16


def predictions(detector: HDM, images: Manifest,
                report: Callable[[int, int], None] | None = None) -> Iterator[Prediction]:
    """One prediction an image, in the manifest's order; `report` is called with (done, total).

    Raises DataError if an image cannot be read.
    """
    remaining, done = iter(images), 0
    while rows := list(islice(remaining, BATCH)):
        yield from detector.predict([read_image(images.image_file(row)) for row in rows],
                                    batch_size=BATCH)
        done += len(rows)
        if report:
            report(done, len(images))
