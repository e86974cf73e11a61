"""A detector on today's test images: a number from another day proves nothing."""

from collections.abc import Callable
from pathlib import Path

from hdm.dataset.manifest import Manifest
from hdm.detector.detector import HDM
from hdm.evaluation.collected import Collected
from hdm.evaluation.predicting import predictions
from hdm.model_settings import Compute


def rescore(folder: Path, test: Manifest, compute: Compute,
            progress: Callable[[int, int], None] | None = None,
            ignored: str = "") -> Collected:
    """What the detector in `folder` says of the test split, ready to be measured.

    ignored: the ignore mask, as text, of pixels that are not counted, for two detectors to be
    measured alike. Raises HDMError if the detector or an image cannot be read.
    """
    detector = HDM.load(folder, device=compute.device, precision=compute.precision,
                        threads=compute.threads)
    return Collected.of(test, predictions(detector, test, progress, threads=compute.threads),
                        tuple(detector.calibration.part_scores.tolist()), ignored)
