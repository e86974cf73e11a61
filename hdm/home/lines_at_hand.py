"""The lines of pipelines.yaml, read again when a settings file has changed."""

import threading
from pathlib import Path

from hdm.config import load_pipelines
from hdm.line import Line
from hdm.serving.http_errors import no_line

FILES = ("pipelines.yaml", "params.yaml")


class LinesAtHand:
    """Any number of threads may ask."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self._lock = threading.Lock()
        self._stamp: tuple[tuple[int, int], ...] = ()
        self._names: list[str] = []
        self._lines: dict[str, Line] = {}

    def names(self) -> list[str]:
        """In the order of pipelines.yaml. Raises ConfigError if it cannot be read."""
        with self._lock:
            self._refresh()
            return list(self._names)

    def __call__(self, name: str) -> Line:
        """The line; raises HTTPProblem if there is none so named, ConfigError for bad settings."""
        with self._lock:
            self._refresh()
            if name not in self._names:
                raise no_line(name, self._names)
            if name not in self._lines:
                self._lines[name] = Line.load(name, self.project)
            return self._lines[name]

    def _refresh(self) -> None:
        states = [(self.project / name).stat() for name in FILES
                  if (self.project / name).is_file()]
        stamp = tuple((state.st_mtime_ns, state.st_size) for state in states)
        if stamp != self._stamp:
            self._names, self._lines = list(load_pipelines(self.project).lines), {}
            self._stamp = stamp
