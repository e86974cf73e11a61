"""One request, from its files to its answers: what is between the routes and the models."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from hdm.dataset import decoding_pool
from hdm.dataset.part_rule import part_reader
from hdm.errors import DataError
from hdm.line import Line
from hdm.monitoring.prediction_log import PredictionLog
from hdm.serving import answers
from hdm.serving.batching import Batcher
from hdm.serving.champion_watch import Slot, Watcher
from hdm.serving.http_errors import busy, no_line, no_model
from hdm.serving.live_model import Served
from hdm.serving.prediction_journal import Journal
from hdm.serving.prometheus import Metrics
from hdm.serving.serving_options import Options
from hdm.serving.upload_pixels import SMALL, UploadReader, is_picture
from hdm.serving.uploads import Upload

HELPERS = 2
"""Threads that draw heat maps and read large files."""


class LineService:
    """What serves one line: its slot, its batches and its journal."""

    def __init__(self, line: Line, options: Options, metrics: Metrics) -> None:
        self.slot, self.options, self.metrics = Slot(line), options, metrics
        self.name = line.name
        self._part_in = part_reader(line.entry.source.part_rule)
        self.open = 0
        """Images that are admitted and not answered."""
        self.run = 0
        """Newest images in a row that were undecidable."""
        self.batcher = Batcher(line.name, options.batch, options.gather, lambda: self.open,
                               metrics.batch.labels(line.name).observe)
        self.journal = Journal(
            PredictionLog(line.log_folder, line.params.monitor),
            lambda why: metrics.dropped.labels(line.name, why).inc()) if options.log else None

    @property
    def served(self) -> Served:
        """The version that serves now; raises HTTPProblem if there is none."""
        if self.slot.served is None:
            raise no_model(self.name)
        return self.slot.served

    def part_of(self, file: Upload) -> str | None:
        """The physical part that a file shows: as the request says, or else as its name does."""
        return file.part or self._part_in(file.name)

    @contextmanager
    def admitted(self, images: int) -> Iterator[None]:
        """Count images in; raises HTTPProblem if too many are there. Event loop only."""
        if self.open + images > self.options.queue:
            raise busy(self.options.queue)
        self.open += images
        self.metrics.waiting.labels(self.name).set(self.open)
        try:
            yield
        finally:
            self.open -= images
            self.metrics.waiting.labels(self.name).set(self.open)

    def count(self, *, undecidable: bool) -> None:
        """Count an image, and how many in a row were undecidable: a lamp that died is seen there
        within seconds."""
        self.run = self.run + 1 if undecidable else 0
        if undecidable:
            self.metrics.undecidable.labels(self.name).inc()
        self.metrics.undecidable_run.labels(self.name).set(self.run)

    def close(self) -> None:
        """Finish what is under way."""
        self.batcher.close()
        if self.journal:
            self.journal.close()


class Service:
    """All lines of a server."""

    def __init__(self, lines: Sequence[Line], options: Options) -> None:
        self.options, self.metrics = options, Metrics()
        self.lines = {line.name: LineService(line, options, self.metrics) for line in lines}
        self.watcher = Watcher([line.slot for line in self.lines.values()], options, self.metrics)
        self._helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="helper")
        self._reader = UploadReader(options.decoding, options.memory, self._helpers)
        # They take half a second to start, in which models are loaded.
        decoding_pool.start()

    def close(self) -> None:
        """End all threads; what was submitted is finished first."""
        self.watcher.close()
        for line in self.lines.values():
            line.close()
        self._helpers.shutdown(cancel_futures=True)

    async def judge(self, line: LineService, served: Served, files: Sequence[Upload],
                    options: answers.AnswerOptions) -> list[dict[str, Any]]:
        """An answer for each file, all by the same version; a bad file spoils no other."""
        # All are waited for: the files are closed when this returns.
        done = await asyncio.gather(*(self._one(line, served, file, options) for file in files),
                                    return_exceptions=True)
        for answer in done:
            if isinstance(answer, BaseException):
                raise answer
        return [answer for answer in done if not isinstance(answer, BaseException)]

    async def _one(self, line: LineService, served: Served, file: Upload,
                   options: answers.AnswerOptions) -> dict[str, Any]:
        try:
            async with self._reader.pixels(file) as image:
                small = image.shape[0] * image.shape[1] <= SMALL
                found = await asyncio.wrap_future(line.batcher.submit(served, image))
                if not math.isfinite(found.score):
                    raise DataError(f"{file.name}: the score is not a number; the image or the "
                                    "model is damaged.")
                answer: dict[str, Any] = await self._done(
                    small and not options.drawn, answers.judged, file.name, served, image, found,
                    options)
                line.count(undecidable=found.decision == "undecidable")
                if line.journal:
                    line.journal.record(file.name, served.version, image, found,
                                        line.part_of(file))
        except DataError as error:
            if is_picture(file):  # what is none is a client's mistake, no lamp that died
                line.count(undecidable=True)
                if line.journal:
                    line.journal.record_undecidable(file.name, served.version, str(error),
                                                    line.part_of(file))
            answer = answers.undecidable(file.name, served, str(error))
        line.metrics.decisions.labels(line.name, served.version, answer["decision"]).inc()
        return answer

    async def _done(self, here: bool, work: Any, *arguments: Any) -> Any:
        """Do it here, or where it would stop the event loop in a helper thread."""
        if here:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._helpers, work, *arguments)


def line_of(service: Service, name: str) -> LineService:
    """What serves a line; raises HTTPProblem if none is so named."""
    if name not in service.lines:
        raise no_line(name, service.lines)
    return service.lines[name]
