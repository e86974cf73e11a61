"""Files in, verdicts and heat maps out; one bad file does not stop the others."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from hdm.commands.judged_row import REGION_COLUMNS, Row
from hdm.csv_cells import write_rows
from hdm.dataset import outside
from hdm.dataset.images import UnreadableImage
from hdm.detector.regions import RegionRule
from hdm.drawing.heatmaps import heat_picture
from hdm.drawing.judged_picture import judged_picture
from hdm.errors import DataError
from hdm.files import atomic_file, write_json

if TYPE_CHECKING:
    from hdm.monitoring.prediction_log import PredictionLog

BATCH = 16
SOURCE = "cli"
LONGEST_STEM = 40  # characters of up to 4 bytes; a file name has 255 bytes


class Overlays(StrEnum):
    """Of which images one is written."""

    STOPPED = "stopped"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True)
class Judging:
    """How files are judged, and what is written of them.

    version: of the model, for the tables. who: line and version as captions name them. rule: of
    regions. folder: where pictures go. level: of the anomaly map, above which regions are told of
    good images, too; None: the rule's own, and of good images none. heatmaps: whether they are
    written.
    """

    detector: Any
    version: str
    who: str
    rule: RegionRule
    folder: Path
    overlays: Overlays = Overlays.STOPPED
    level: float | None = None
    heatmaps: bool = True


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


def predict_files(judging: Judging, files: Sequence[Path], progress: Callable[[int, int], None],
                  recorder: Recorder | None = None) -> list[Row]:
    """Judge every file and write its heat map into heatmaps/, and overlays into overlays/.

    `files` may be pages: `stack.tif#3`. `progress(done, total)` is called after each batch. What
    cannot be read is recorded, too.
    """
    rows: list[Row] = []
    for start in range(0, len(files), BATCH):
        batch = files[start:start + BATCH]
        rows += judged(judging, start, batch, read(batch), recorder)
        progress(len(rows), len(files))
    return rows


def read(files: Sequence[Path]) -> list[np.ndarray | DataError]:
    """The pixels of each file, or why there are none."""
    return list(outside.each(_read, files))


def judged(judging: Judging, first: int, files: Sequence[Path],
           images: Sequence[np.ndarray | DataError], recorder: Recorder | None = None
           ) -> list[Row]:
    """Judge what was read of a batch of files, whose pictures are numbered from `first` on."""
    readable: list[tuple[int, Path, np.ndarray]] = []
    errors: dict[int, DataError] = {}
    for number, (file, image) in enumerate(zip(files, images, strict=True), first):
        if isinstance(image, DataError):
            errors[number] = image
        else:
            readable.append((number, file, image))
    predictions = judging.detector.predict([image for *_, image in readable], batch_size=BATCH)
    if recorder:
        for (_, file, image), found in zip(readable, predictions, strict=True):
            recorder.judged(file, image, found)
        for number, reason in errors.items():
            recorder.failed(files[number - first], reason)
    done = {number: _row(judging, number, file, image, found) for (number, file, image), found
            in zip(readable, predictions, strict=True)}
    return [done.get(number) or Row(printable(file), judging.version, error=str(errors[number]))
            for number, file in enumerate(files, first)]


def write_tables(rows: Sequence[Row], folder: Path) -> None:
    """predictions.json and predictions.csv, one row a file; regions.csv, one row a region."""
    write_json(folder / "predictions.json", [row.as_dict() for row in rows])
    cells = [row.as_cells() for row in rows]
    _write_csv(folder / "predictions.csv", list(Row("").as_cells()), cells)
    _write_csv(folder / "regions.csv", REGION_COLUMNS,
               [region for row in rows for region in row.region_cells()])


def _write_csv(file: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with atomic_file(file) as temporary, \
            temporary.open("w", newline="", encoding="utf-8") as stream:
        write_rows(stream, columns, *([row[column] for column in columns] for row in rows))


def table(rows: Sequence[Row]) -> Table:
    """What is printed; images without the folders that all of them share."""
    shown = Table("image", "score", "p-value", "probability", "decision", "regions")
    for row, name in zip(rows, _apart([row.path for row in rows]), strict=True):
        numbers = [f"{value:.3f}" if value is not None else "–"
                   for value in (row.score, row.p_value, row.probability)]
        count = len(row.regions.told) + row.regions.more
        shown.add_row(_escaped(name), *numbers, row.decision or "unreadable",
                      str(count) if count else "")
    return shown


def _apart(paths: Sequence[str]) -> list[str]:
    try:
        shared = os.path.commonpath([str(Path(path).parent) for path in paths])
    except ValueError:  # none, or some from / and some from here
        return list(paths)
    return [os.path.relpath(path, shared or ".") for path in paths]


def save_heatmap(anomaly_map: np.ndarray, target: Path, ignored: np.ndarray | None = None
                 ) -> None:
    """An anomaly map (H, W) in [0, 1] as PNG, on the colour scale that every picture has; what is
    `ignored` is hatched."""
    with atomic_file(target) as temporary:
        heat_picture(anomaly_map, ignored).save(temporary, format="PNG")


def _read(file: Path) -> np.ndarray | DataError:
    try:
        return outside.read_image(file)
    except DataError as error:
        return error


def _row(judging: Judging, number: int, file: Path, image: np.ndarray, found: Any) -> Row:
    # Numbered, as two folders may hold files of one name.
    name = f"{number:05d}_{printable(file.stem)[:LONGEST_STEM]}.png"
    heatmap = Path("heatmaps", name) if judging.heatmaps else None
    if heatmap:
        save_heatmap(found.anomaly_map, judging.folder / heatmap, found.ignored)
    regions = judging.rule.regions(found.decision, found.anomaly_map, judging.level, found.ignored)
    drawn = judging.overlays == Overlays.ALL or \
        (judging.overlays == Overlays.STOPPED and found.decision != "good")
    picture = Path("overlays", name) if drawn else None
    if picture:
        shown = judged_picture(image, printable(file.name), judging.who, found, regions)
        with atomic_file(judging.folder / picture) as temporary:
            shown.save(temporary, format="PNG")
    return Row(printable(file), judging.version, found.score, found.p_value, found.probability,
               found.decision, found.threshold,
               " ".join(doubt.sentence for doubt in found.reasons), str(heatmap or ""),
               str(picture or ""), regions=regions)


def printable(path: Path | str) -> str:
    """A file name as text, also where it is not valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _escaped(text: str) -> str:
    """A file name may look like Rich markup."""
    return text.replace("[", r"\[")
