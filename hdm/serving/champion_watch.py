"""Which version serves a line, and the thread that follows the registry."""

import logging
import threading
import time
from collections.abc import Sequence

from hdm.errors import HDMError
from hdm.line import Line
from hdm.registry.fetch import live_version
from hdm.serving.live_model import Served, load
from hdm.serving.prometheus import Metrics
from hdm.serving.serving_options import Options

logger = logging.getLogger("hdm.serving")


class Slot:
    """The version that serves a line; replaced in one assignment, so readers need no lock.

    A request takes `served` once and keeps it to its end. problem: one sentence, or "".
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.served: Served | None = None
        self.problem = ""
        self.refused: tuple[str, float] | None = None
        """The version that did not load, and the monotonic time at which it is tried again."""


class Watcher:
    """Looks at the registry every few seconds and swaps in what has become live.

    Whatever goes wrong there, the version in memory goes on serving.
    """

    def __init__(self, slots: Sequence[Slot], options: Options, metrics: Metrics) -> None:
        self.slots, self.options, self.metrics = slots, options, metrics
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to look, in a thread of its own; the first look is at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def look(self) -> None:
        """Look once at every line."""
        for slot in self.slots:
            before = slot.problem
            try:
                slot.problem = self._follow(slot)
            except Exception as error:  # the thread must live on
                slot.problem = _sentence(error)
            if slot.problem and slot.problem != before:
                logger.warning("%s: %s", slot.line.name, slot.problem)
            self.metrics.problem.labels(slot.line.name).set(bool(slot.problem))
            served = slot.served
            self.metrics.version.labels(slot.line.name).set(int(served.version) if served else 0)

    def _work(self) -> None:
        while True:
            self.look()
            if self._stop.wait(self.options.poll):
                return

    def _follow(self, slot: Slot) -> str:
        """Load what is live, if that is another version; returns what is to be told."""
        served = slot.served
        try:
            version = live_version(slot.line)
        except HDMError as error:
            return f"{error}{_goes_on(served)}"
        if version is None:
            slot.refused = None
            return "" if served is None else \
                f"the registry names no champion any more.{_goes_on(served)}"
        if served and version == served.version:
            slot.refused = None
            return ""
        if slot.refused and slot.refused[0] == version and time.monotonic() < slot.refused[1]:
            return slot.problem
        name = slot.line.name
        try:
            slot.served = load(slot.line, version, self.options.backend)
        except Exception as error:  # damaged files may raise anything
            slot.refused = (version, time.monotonic() + self.options.retry)
            self.metrics.reloads.labels(name, "failed").inc()
            return f"version {version} cannot be loaded: {_sentence(error)}{_goes_on(served)}"
        slot.refused = None
        self.metrics.reloads.labels(name, "loaded").inc()
        logger.info("%s: version %s serves%s", name, version,
                    f" in place of {served.version}" if served else "")
        return ""


def _goes_on(served: Served | None) -> str:
    return f" Version {served.version} goes on serving." if served else ""


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())[:400]
    return text if isinstance(error, HDMError) else f"{type(error).__name__}: {text}"
