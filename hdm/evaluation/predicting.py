"""A detector's predictions of a split, one batch at a time: memory does not grow with the split."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from hdm.cluster.spreading import HERE, spread
from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.detector.detector import HDM, Prediction
from hdm.detector.judging_threads import side_by_side
from hdm.evaluation.sent_detector import SentDetector

BATCH = 16


def predictions(detector: HDM | SentDetector, images: Manifest,
                report: Callable[[int, int], None] | None = None, *, threads: int = 1,
                cluster: str = HERE) -> Iterator[Prediction]:
    """One prediction an image, in the manifest's order; `report` is called with (done, total).

    threads: how many judge here, each a batch. cluster: as `spread` takes it; a detector is sent
    there as `SentDetector`. Raises DataError if an image cannot be read.
    """
    judged = spread(partial(_judged, threads if cluster == HERE else 1), detector,
                    map(images.image_file, images), cluster, part=BATCH, file_of=lambda file: file)
    for done, prediction in enumerate(judged, start=1):
        yield prediction
        if report and (done % BATCH == 0 or done == len(images)):
            report(done, len(images))


def _judged(threads: int, given: HDM | SentDetector, files: Iterable[Path]
            ) -> Iterator[Prediction]:
    detector = given.detector if isinstance(given, SentDetector) else given

    def judge(batch: list[Path]) -> list[Prediction]:
        return detector.predict(list(map(read_image, batch)), batch_size=BATCH)

    rest = iter(files)
    batches = iter(lambda: list(islice(rest, BATCH)), [])
    for found in side_by_side(judge, batches, threads):
        yield from found
