"""Predictions are logged behind the requests: slowly, or not at all, but never in their way."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hdm.dataset.images import pixel_hash
from hdm.errors import HDMError

if TYPE_CHECKING:
    from hdm.detector.detector import Prediction
    from hdm.monitoring.prediction_log import PredictionLog

SOURCE = "rest"
WAITING, WAITING_BYTES = 65_536, 256 * 2**20
"""Predictions that may wait, and bytes of their images; beyond, rows are logged without images."""
NO_MAP = np.empty((0, 0), np.float32)
logger = logging.getLogger("hdm.serving")


class Journal:
    """A bounded queue before a line's PredictionLog.

    dropped(why): told of every prediction that is not logged; "full" or "failed".
    """

    def __init__(self, log: "PredictionLog", dropped: Callable[[str], None],
                 waiting: int = WAITING) -> None:
        self.log, self.dropped = log, dropped
        self._entries: queue.Queue[tuple[int, Callable[[], None]] | None] = queue.Queue(waiting)
        self._held, self._lock = 0, threading.Lock()
        self._complained = False
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def record(self, name: str, version: str, image: np.ndarray, found: "Prediction",
               part: str | None = None) -> None:
        """Log a prediction some time; returns at once."""
        # The map is as large as the image, and the log does not want it.
        found = replace(found, anomaly_map=NO_MAP, ignored=None)
        if self._held + image.nbytes <= WAITING_BYTES:
            self._put(image.nbytes,
                      lambda: self.log.record(name, version, SOURCE, image, found, part))
            return
        digest = pixel_hash(image)
        self._put(0, lambda: self.log.record_without_picture(name, version, SOURCE, digest, found,
                                                             part))

    def record_undecidable(self, name: str, version: str, reason: str,
                           part: str | None = None) -> None:
        """Log an image that could not be judged some time; returns at once."""
        self._put(0, lambda: self.log.record_undecidable(name, version, SOURCE, reason, part))

    def close(self) -> None:
        """Write what waits, for at most some seconds, and let go of the file."""
        try:
            self._entries.put(None, timeout=5)
        except queue.Full:
            return
        self._thread.join(timeout=20)

    def _put(self, size: int, entry: Callable[[], None]) -> None:
        try:
            self._entries.put_nowait((size, entry))
        except queue.Full:
            self.dropped("full")
            return
        self._hold(size)

    def _hold(self, size: int) -> None:
        with self._lock:
            self._held += size

    def _work(self) -> None:
        while (found := self._entries.get()) is not None:
            size, entry = found
            try:
                entry()
                self._complained = False
            except Exception as error:  # whatever it is, requests go on
                self.dropped("failed")
                if not self._complained:  # once, not at every prediction
                    sentence = error if isinstance(error, HDMError) else repr(error)
                    logger.warning("predictions are not logged: %s", sentence)
                self._complained = True
            self._hold(-size)
            del found, entry  # or the image is held until the next one comes
        self.log.close()
