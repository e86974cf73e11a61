"""Loss curves: to MLflow as they happen, to a CSV at the end."""

import csv
from pathlib import Path

from hdm.files import atomic_file
from hdm.progress import Report
from hdm.stage_run import StageRun


class LossLog:
    """Callable (step, terms); keeps, shows and logs them."""

    def __init__(self, run: StageRun, steps: int, report: Report) -> None:
        self._run, self._steps, self._report = run, steps, report
        self._rows: list[dict[str, float]] = []

    def __call__(self, step: int, terms: dict[str, float]) -> None:
        self._rows.append({"step": step, **terms})
        self._run.log_metrics(terms, step)
        self._report(step, self._steps, f"loss {terms['loss']:.4f}")

    def save(self, file: Path) -> None:
        """Write the curve: step and one column a term."""
        with atomic_file(file) as temporary, temporary.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(self._rows[0]) if self._rows else ["step"])
            writer.writeheader()
            writer.writerows(self._rows)
