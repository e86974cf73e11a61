"""Verdicts on files, put into a line's log of predictions."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hdm.dataset.images import UnreadableImage
from hdm.errors import DataError

if TYPE_CHECKING:
    from hdm.monitoring.prediction_log import PredictionLog

SOURCE = "cli"


@dataclass(frozen=True)
class Recorder:
    """Puts verdicts into a line's prediction log as those of one model version.

    part_of: from a file's path to the physical part that it shows, if that is known. source: who
    asked.
    """

    log: "PredictionLog"
    model: str
    part_of: Callable[[str], str | None] = lambda _: None
    source: str = SOURCE

    def judged(self, file: Path, image: np.ndarray, found: Any) -> None:
        """`found` is a hdm.detector.detector.Prediction."""
        name = printable(file)
        self.log.record(name, self.model, self.source, image, found, self.part_of(name))

    def failed(self, file: Path, error: DataError) -> None:
        """A file that could not be read."""
        reason = error.reason if isinstance(error, UnreadableImage) else str(error)
        name = printable(file)
        self.log.record_undecidable(name, self.model, self.source, reason, self.part_of(name))


def printable(path: Path | str) -> str:
    """A file name as text, also where it is not valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
