"""Real images of a line, to compare an exported model on."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hdm.dataset.images import SUFFIXES
from hdm.dataset.manifest import Manifest
from hdm.dataset.outside import read_image
from hdm.errors import DataError, HDMError
from hdm.line import Line

MOST = 32


def comparison_images(line: Line, folder: Path | None) -> list[np.ndarray]:
    """At most 32 images from `folder`, or of the line's calibration split.

    Raises HDMError if none can be read: an export that was compared on nothing is not made.
    """
    files: Sequence[Path]
    if folder is not None:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    elif line.manifest_file.is_file():
        calibration = Manifest.load(line.manifest_file, line.source_root).split("calibration")
        files = [calibration.image_file(row) for row in calibration]
    else:
        files = []
    images = list(_readable(files[:: max(1, len(files) // MOST)][:MOST]))
    if not images:
        raise HDMError(f"found no images of {line.name} to compare the exported model on; name a "
                       "folder of them with --images.")
    return images


def _readable(files: Iterable[Path]) -> Iterable[np.ndarray]:
    for file in files:
        try:
            yield read_image(file)
        except DataError:
            continue
