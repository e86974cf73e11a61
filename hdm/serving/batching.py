"""Images of many requests, judged together by one thread a line."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hdm.serving.live_model import Served

if TYPE_CHECKING:
    from hdm.detector.detector import Prediction


@dataclass
class Job:
    """One image for the version that its request began with."""

    served: Served
    image: np.ndarray
    answer: "Future[Prediction]" = field(default_factory=Future)


class Batcher:
    """Gathers jobs for a few milliseconds and judges them.

    Args:
        size: most images at once.
        gather: seconds that the first image of a batch waits for others.
        coming: how many images are admitted and not answered. Where no more are on their way,
            none are waited for, so a lone request loses no time.
        judged: told the size of each batch.
    """

    def __init__(self, name: str, size: int, gather: float, coming: Callable[[], int],
                 judged: Callable[[int], None]) -> None:
        self.size, self.gather, self.coming, self.judged = size, gather, coming, judged
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"judge-{name}", daemon=True)
        self._thread.start()

    def submit(self, served: Served, image: np.ndarray) -> "Future[Prediction]":
        """The prediction of one image, later. A cancelled one is not computed."""
        job = Job(served, image)
        self._jobs.put(job)
        return job.answer

    def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._jobs.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch, last = self._gathered(first)
            for served in {id(job.served): job.served for job in batch}.values():
                self._judge(served, [job for job in batch if job.served is served])
            if last:
                return

    def _gathered(self, first: Job) -> tuple[list[Job], bool]:
        """A batch, and whether the end was met."""
        batch, limit = [first], time.monotonic() + self.gather
        while len(batch) < self.size:
            try:
                left = limit - time.monotonic()
                wait = left > 0 and self.coming() > len(batch)
                job = self._jobs.get(timeout=left) if wait else self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _judge(self, served: Served, jobs: list[Job]) -> None:
        jobs = [job for job in jobs if job.answer.set_running_or_notify_cancel()]
        if not jobs:
            return
        self.judged(len(jobs))
        try:
            found = served.judge.predict([job.image for job in jobs], batch_size=self.size)
            for job, prediction in zip(jobs, found, strict=True):
                job.answer.set_result(prediction)
        except BaseException as error:  # the thread must live on, and every job be answered
            for job in jobs:
                with suppress(InvalidStateError):
                    job.answer.set_exception(error)
