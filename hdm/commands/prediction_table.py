"""Files in, verdicts and heat maps out; one bad file does not stop the others."""

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from rich.table import Table

from hdm.dataset.images import UnreadableImage, read_image
from hdm.drawing.hatching import hatched
from hdm.drawing.heatmaps import colours
from hdm.errors import DataError
from hdm.files import atomic_file, write_json

if TYPE_CHECKING:
    from hdm.monitoring.prediction_log import PredictionLog

BATCH = 16
SOURCE = "cli"
LONGEST_STEM = 40  # characters of up to 4 bytes; a file name has 255 bytes


@dataclass(frozen=True)
class Row:
    """One file: its verdict, or the sentence why there is none."""

    path: str
    score: float | None = None
    p_value: float | None = None
    probability: float | None = None
    decision: str = ""
    threshold: float | None = None
    heatmap: str = ""
    error: str = ""


@dataclass(frozen=True)
class Recorder:
    """Puts verdicts into a line's prediction log as those of one model version."""

    log: "PredictionLog"
    model: str

    def judged(self, file: Path, image: np.ndarray, found: Any) -> None:
        """`found` is a hdm.detector.detector.Prediction."""
        self.log.record(printable(file), self.model, SOURCE, image, found)

    def failed(self, file: Path, error: DataError) -> None:
        """A file that could not be read."""
        reason = error.reason if isinstance(error, UnreadableImage) else str(error)
        self.log.record_undecidable(printable(file), self.model, SOURCE, reason)


def predict_files(detector: Any, files: Sequence[Path], folder: Path,
                  progress: Callable[[int, int], None],
                  recorder: Recorder | None = None) -> list[Row]:
    """Judge every file and write its heat map into `folder`/heatmaps.

    `detector` is a hdm.HDM. `files` may be pages: `stack.tif#3`. `progress(done, total)` is called
    after each batch. What cannot be read is recorded, too.
    """
    rows: list[Row] = []
    for start in range(0, len(files), BATCH):
        batch = list(enumerate(files[start:start + BATCH], start))
        readable: list[tuple[int, Path, np.ndarray]] = []
        errors: dict[int, DataError] = {}
        for number, file in batch:
            try:
                readable.append((number, file, read_image(file)))
            except DataError as error:
                errors[number] = error
        predictions = detector.predict([image for *_, image in readable], batch_size=BATCH)
        if recorder:
            for (_, file, image), found in zip(readable, predictions, strict=True):
                recorder.judged(file, image, found)
            for number, reason in errors.items():
                recorder.failed(files[number], reason)
        done = {number: _row(file, number, found, folder) for (number, file, _), found
                in zip(readable, predictions, strict=True)}
        rows += [done.get(number) or Row(printable(file), error=str(errors[number]))
                 for number, file in batch]
        progress(len(rows), len(files))
    return rows


def write_tables(rows: Sequence[Row], folder: Path) -> None:
    """predictions.json and predictions.csv, one row a file."""
    content = [asdict(row) for row in rows]
    write_json(folder / "predictions.json", content)
    with atomic_file(folder / "predictions.csv") as temporary, \
            temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(asdict(Row(""))))
        writer.writeheader()
        writer.writerows(content)


def table(rows: Sequence[Row]) -> Table:
    """What is printed."""
    shown = Table("image", "score", "p-value", "probability", "decision")
    for row in rows:
        numbers = [f"{value:.3f}" if value is not None else "–"
                   for value in (row.score, row.p_value, row.probability)]
        shown.add_row(_escaped(row.path), *numbers, row.decision or "unreadable")
    return shown


def save_heatmap(anomaly_map: np.ndarray, target: Path, ignored: np.ndarray | None = None
                 ) -> None:
    """An anomaly map (H, W) in [0, 1] as PNG, on the colour scale that every picture has; what is
    `ignored` is hatched."""
    levels = (anomaly_map.clip(0, 1) * 255).round().astype(np.uint8)
    with atomic_file(target) as temporary:
        hatched(Image.fromarray(colours(levels)), ignored).save(temporary, format="PNG")


def _row(file: Path, number: int, found: Any, folder: Path) -> Row:
    # Numbered, as two folders may hold files of one name.
    heatmap = folder / "heatmaps" / f"{number:05d}_{printable(file.stem)[:LONGEST_STEM]}.png"
    save_heatmap(found.anomaly_map, heatmap, found.ignored)
    return Row(printable(file), found.score, found.p_value, found.probability, found.decision,
               found.threshold, str(heatmap.relative_to(folder)))


def printable(path: Path | str) -> str:
    """A file name as text, also where it is not valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _escaped(text: str) -> str:
    """A file name may look like Rich markup."""
    return text.replace("[", r"\[")
