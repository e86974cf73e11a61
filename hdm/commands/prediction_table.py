"""Files in, verdicts and heat maps out; one bad file does not stop the others."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL.Image import Image
from rich.table import Table

from hdm.cluster.spreading import HERE, spread
from hdm.commands.judged_row import REGION_COLUMNS, Row
from hdm.commands.prediction_recorder import Recorder, printable
from hdm.csv_cells import write_rows
from hdm.dataset import outside
from hdm.dataset.images import UnreadableImage
from hdm.dataset.tiff_pages import split_page
from hdm.detector.regions import RegionRule
from hdm.drawing.heatmaps import heat_picture
from hdm.drawing.judged_picture import judged_picture
from hdm.errors import DataError
from hdm.files import atomic_file, write_json

BATCH = 16
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
    written. threads: how many judge, each a batch of files.
    """

    detector: Any
    version: str
    who: str
    rule: RegionRule
    folder: Path
    overlays: Overlays = Overlays.STOPPED
    level: float | None = None
    heatmaps: bool = True
    threads: int = 1


class Judged(NamedTuple):
    """A file's row, its pictures as PNG by the names that they get, and for a log what was read and
    said of it, or why nothing was."""

    row: Row
    pictures: dict[str, bytes]
    seen: "tuple[np.ndarray, Any] | DataError | None"


def predict_files(judging: Judging, files: Sequence[Path], progress: Callable[[int, int], None],
                  recorder: Recorder | None = None, cluster: str = HERE) -> list[Row]:
    """Judge every file and write its heat map into heatmaps/, and overlays into overlays/.

    `files` may be pages: `stack.tif#3`. `progress(done, total)` is called after each batch. What
    cannot be read is recorded, too. cluster: as `spread` takes it; judging's detector is then a
    `SentDetector`.
    """
    rows: list[Row] = []
    work, here = (_judge_files, Path()) if cluster == HERE else (_judge_there, Path.cwd())
    # Closed, as what still waits for a decoder when this fails must not outlive the decoders.
    with closing(spread(work, _Given(judging, here, recorder is not None), enumerate(files),
                        cluster, part=BATCH,
                        file_of=lambda one: here / split_page(one[1])[0])) as found:
        for file, one in zip(files, found, strict=True):
            rows.append(_kept(judging, file, one, recorder))
            if len(rows) % BATCH == 0 or len(rows) == len(files):
                progress(len(rows), len(files))
    return rows


def read(files: Sequence[Path], here: Path = Path()) -> list[np.ndarray | DataError]:
    """The pixels of each file, or why there are none. here: where their names start from."""
    return list(outside.each(partial(_read, here), files))


def judged(judging: Judging, first: int, files: Sequence[Path],
           images: Sequence[np.ndarray | DataError], recorder: Recorder | None = None
           ) -> list[Row]:
    """Judge what was read of a batch of files, whose pictures are numbered from `first` on."""
    return [_kept(judging, file, one, recorder) for file, one
            in zip(files, _judged(judging, first, files, images), strict=True)]


class _Given(NamedTuple):
    judging: Judging
    here: Path  # that names of files start from
    logged: bool  # whether what is seen comes along


def _judge_files(given: _Given, numbered: Iterable[tuple[int, Path]]) -> Iterator[Judged]:
    from hdm.detector.judging_threads import side_by_side  # late: torch, as with the detector

    def judge(batch: list[tuple[int, Path]]) -> list[Judged]:
        files = [file for _, file in batch]
        found = _judged(given.judging, batch[0][0], files, read(files, given.here))
        return [one if given.logged else one._replace(seen=None) for one in found]

    rest = iter(numbered)
    for done in side_by_side(judge, iter(lambda: list(islice(rest, BATCH)), []),
                             given.judging.threads):
        yield from done


def _judge_there(given: _Given, numbered: Iterable[tuple[int, Path]]) -> Iterator[Judged]:
    alone = replace(given.judging, detector=given.judging.detector.detector, threads=1)
    return _judge_files(given._replace(judging=alone), numbered)


def _judged(judging: Judging, first: int, files: Sequence[Path],
            images: Sequence[np.ndarray | DataError]) -> Iterator[Judged]:
    readable = [image for image in images if not isinstance(image, DataError)]
    predictions = iter(judging.detector.predict(readable, batch_size=BATCH))
    for number, (file, image) in enumerate(zip(files, images, strict=True), first):
        if isinstance(image, DataError):
            yield Judged(Row(printable(file), judging.version, error=str(image)), {}, image)
        else:
            yield _drawn(judging, number, file, image, next(predictions))


def _kept(judging: Judging, file: Path, one: Judged, recorder: Recorder | None) -> Row:
    """The row, once its pictures are written and it is in the log."""
    if recorder and isinstance(one.seen, DataError):
        recorder.failed(file, one.seen)
    elif recorder and isinstance(one.seen, tuple):
        recorder.judged(file, *one.seen)
    for name, content in one.pictures.items():
        with atomic_file(judging.folder / name) as temporary:
            temporary.write_bytes(content)
    return one.row


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


def _read(here: Path, file: Path) -> np.ndarray | DataError:
    try:
        return outside.read_image(here / file)
    except UnreadableImage as error:
        return UnreadableImage(str(file), error.reason)
    except DataError as error:
        return error


def _drawn(judging: Judging, number: int, file: Path, image: np.ndarray, found: Any) -> Judged:
    # Numbered, as two folders may hold files of one name.
    name = f"{number:05d}_{printable(file.stem)[:LONGEST_STEM]}.png"
    pictures: dict[str, bytes] = {}
    heatmap = f"heatmaps/{name}" if judging.heatmaps else ""
    if heatmap:
        pictures[heatmap] = _png(heat_picture(found.anomaly_map, found.ignored))
    regions = judging.rule.regions(found.decision, found.anomaly_map, judging.level, found.ignored)
    drawn = judging.overlays == Overlays.ALL or \
        (judging.overlays == Overlays.STOPPED and found.decision != "good")
    overlay = f"overlays/{name}" if drawn else ""
    if overlay:
        pictures[overlay] = _png(judged_picture(image, printable(file.name), judging.who, found,
                                                regions))
    row = Row(printable(file), judging.version, found.score, found.p_value, found.probability,
              found.decision, found.threshold, " ".join(doubt.sentence for doubt in found.reasons),
              heatmap, overlay, regions=regions)
    return Judged(row, pictures, (image, found))


def _png(picture: Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def _escaped(text: str) -> str:
    """A file name may look like Rich markup."""
    return text.replace("[", r"\[")
