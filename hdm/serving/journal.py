"""Predictions are logged behind the requests: slowly, or not at all, but never in their way."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from hdm.errors import HDMError

if TYPE_CHECKING:
    from hdm.detector import Prediction
    from hdm.monitoring.log import PredictionLog

SOURCE = "rest"
WAITING = 256
"""Predictions that may wait; with them wait their images."""
logger = logging.getLogger("hdm.serving")


class Journal:
    """A bounded queue before a line's PredictionLog.

    dropped(why): told of every prediction that is not logged; "full" or "failed".
    """

    def __init__(self, log: "PredictionLog", dropped: Callable[[str], None],
                 waiting: int = WAITING) -> None:
        self.log, self.dropped = log, dropped
        self._entries: queue.Queue[Callable[[], None] | None] = queue.Queue(waiting)
        self._complained = False
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def record(self, name: str, version: str, image: np.ndarray, found: "Prediction") -> None:
        """Log a prediction some time; returns at once."""
        self._put(lambda: self.log.record(name, version, SOURCE, image, found))

    def record_undecidable(self, name: str, version: str, reason: str) -> None:
        """Log an image that could not be judged some time; returns at once."""
        self._put(lambda: self.log.record_undecidable(name, version, SOURCE, reason))

    def close(self) -> None:
        """Write what waits, for at most some seconds, and let go of the file."""
        try:
            self._entries.put(None, timeout=5)
        except queue.Full:
            return
        self._thread.join(timeout=20)

    def _put(self, entry: Callable[[], None]) -> None:
        try:
            self._entries.put_nowait(entry)
        except queue.Full:
            self.dropped("full")

    def _work(self) -> None:
        while (entry := self._entries.get()) is not None:
            try:
                entry()
                self._complained = False
            except Exception as error:  # whatever it is, requests go on
                self.dropped("failed")
                if not self._complained:  # once, not at every prediction
                    sentence = error if isinstance(error, HDMError) else repr(error)
                    logger.warning("predictions are not logged: %s", sentence)
                self._complained = True
        self.log.close()
