"""Detectors that a person wants to see at work: loaded when they are asked for, two at most."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from hdm.line import Line
from hdm.serving.live_model import Served, load

KEPT = 2
"""Two versions are compared."""


class DetectorsAtHand:
    """One picture at a time is judged, by whichever thread asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Served] = OrderedDict()

    @contextmanager
    def version(self, line: Line, version: str) -> Iterator[Served]:
        """A registered version, which nobody else uses meanwhile. Raises RegistryError if it does
        not load."""
        key = (line.name, version)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = load(line, version, "torch")
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            yield self._kept[key]
