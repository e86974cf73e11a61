"""The champion measured on today's test images: a number from another day proves nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.registry.gate import Metrics
from hdm.settings import Params

BATCH = 16


def rescore(folder: Path, manifest: Manifest, settings: Params,
            progress: Callable[[int, int], None] | None = None) -> Metrics:
    """Metrics of the detector in `folder` on the test split of `manifest`.

    `settings` gives device, precision and threads, and the limits of the metrics.
    Raises HDMError if the detector or an image cannot be read.
    """
    from hdm.detector import HDM
    from hdm.evaluation.evaluate import evaluate

    compute = settings.compute
    detector = HDM.load(folder, device=compute.device, precision=compute.precision,
                        threads=compute.threads)
    test = manifest.split("test")
    # Intervals are not compared, so one resample is enough.
    quick = settings.model_copy(update={
        "evaluate": settings.evaluate.model_copy(update={"bootstrap": 1})})
    return evaluate(test, _predictions(detector, test, progress), quick).metrics


def _predictions(detector: Any, test: Manifest,
                 progress: Callable[[int, int], None] | None) -> Iterator[Any]:
    rows = list(test)
    for start in range(0, len(rows), BATCH):
        part = rows[start:start + BATCH]
        yield from detector.predict([read_image(test.image_file(row)) for row in part])
        if progress:
            progress(start + len(part), len(rows))
