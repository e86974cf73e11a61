"""What a stage may say about itself while it runs, whoever keeps it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol


class StageRun(Protocol):
    """What a stage may say about itself while it runs."""

    run_id: str | None

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Settings; nested mappings become dotted names."""

    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None) -> None:
        """Numbers, at a step for curves; None values are left out."""

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Copy a file, or all of a folder, below the run's `folder`."""

    def log_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows with the same keys, shown as a table in MLflow (`name`.json)."""

    def log_figure(self, name: str, figure: Any) -> None:
        """A matplotlib figure as a PNG called `name`."""

    def log_text(self, name: str, text: str) -> None:
        """A text file called `name`, e.g. report.html or notes.md."""

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Words to find the run by."""


class NoRun:
    """Takes everything and keeps nothing: for HDM_TRACKING=off and for tests."""

    run_id: str | None = None

    def log_params(self, params: Mapping[str, Any]) -> None: ...
    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None
                    ) -> None: ...
    def log_artifact(self, path: Path, folder: str | None = None) -> None: ...
    def log_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None: ...
    def log_figure(self, name: str, figure: Any) -> None: ...
    def log_text(self, name: str, text: str) -> None: ...
    def set_tags(self, tags: Mapping[str, Any]) -> None: ...
