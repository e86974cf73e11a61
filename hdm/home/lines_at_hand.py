"""The lines of pipelines.yaml as they are now: reading one takes a millisecond (see hdm.config)."""

from pathlib import Path

from hdm.config import load_pipelines
from hdm.line import Line
from hdm.serving.http_errors import no_line


class LinesAtHand:
    """Lines by name, for the routes."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def names(self) -> list[str]:
        """In the order of pipelines.yaml. Raises ConfigError if it cannot be read."""
        return list(load_pipelines(self.project).lines)

    def __call__(self, name: str) -> Line:
        """The line; raises HTTPProblem if there is none so named, ConfigError for bad settings, and
        HDMError while it is being renamed or removed."""
        names = self.names()
        if name not in names:
            raise no_line(name, names)
        return Line.load(name, self.project)
