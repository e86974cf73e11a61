"""What answers for a line and how good it is, beside what the last training came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from hdm.evaluation.detection import Detection
from hdm.line import TRAINED, Line
from hdm.orchestration.line_summary import Summary, shown
from hdm.registry.history import champion_of, versions
from hdm.registry.mlflow_uris import pages, version_page


@dataclass(frozen=True)
class LineResult:
    """One row of `hdm results`.

    version: what answers: the champion's number; `hdm.line.TRAINED` where the line has none; ""
    before the first training. figures: its metrics, as measured when it was trained. last: how the
    last training ended, such as "version 4 refused". note: a sentence where that is not the one
    that answers, or "". detection: what the one that answers stops at its operating point, None
    where that was not measured. aurocs: its image AUROC by defect type, where that is known.
    """

    line: str
    version: str
    figures: Mapping[str, float | None]
    last: str
    note: str = ""
    detection: Detection | None = None
    aurocs: Mapping[str, float | None] = field(default_factory=dict)

    @classmethod
    def load(cls, line: Line) -> "LineResult":
        """Ask the registry and read the files of the last training.

        Raises RegistryError if the store cannot be read: figures of another model would be wrong.
        """
        trained = Summary.load(line)
        live = champion_of(versions(line))
        last = f"version {trained.version} {trained.decision}" if trained.version else \
            trained.decision
        if live is None:
            return cls(line.name, TRAINED if trained.metrics else "", trained.metrics, last,
                       detection=trained.detection, aurocs=trained.aurocs)
        version = str(live.version)
        note = f"version {version} answers for {line.name}, not what was trained last " \
               f"({last}); `hdm report {line.name} --trained` opens the report of that." \
            if last and trained.version != version else ""
        return cls(line.name, version, live.figures, last, note, live.detection,
                   {} if trained.version != version else trained.aurocs)

    @property
    def page(self) -> str:
        """Where MLflow shows the version that answers; "" where none does."""
        return version_page(f"hdm-{self.line}", self.version, pages()) \
            if self.version.isdigit() else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not defined is None."""
        return {"line": self.line, "version": self.version, "last": self.last, "note": self.note,
                "page": self.page,
                "figures": _defined(self.figures),
                "detection": self.detection.as_dict() if self.detection else None,
                "image_auroc_by_type": _defined(self.aurocs)}

    def show(self, metric: str) -> str:
        """A metric as text: three decimals, or a dash where it is undefined or not there yet."""
        return shown(self.figures, metric)


def _defined(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: value if value is not None and isfinite(value) else None
            for name, value in figures.items()}
