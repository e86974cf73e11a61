"""An evaluation as files and as rows of tables."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hdm.csv_cells import defused
from hdm.evaluation.detection import DETECTION_FILE
from hdm.evaluation.evaluation import Evaluation
from hdm.files import atomic_file, write_json

HEADLINE_FILE = "headline.json"
HEADLINE = ("image_auroc", "pixel_auroc", "aupro", "recall", "false_alarm_rate")
"""What people compare models by: the columns of `dvc metrics` and `dvc exp`."""


def headline(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """The figures of `HEADLINE`; None where one is not defined."""
    return {name: metrics.get(name) for name in HEADLINE}


def write_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Write its tables and curves into `folder`; each file replaces its forerunner whole."""
    write_json(folder / "metrics_undefined.json", evaluation.undefined)
    write_json(folder / "intervals.json", {
        name: {"low": found.low, "high": found.high, "reason": found.reason}
        for name, found in evaluation.intervals.items()})
    write_json(folder / DETECTION_FILE, evaluation.detection.as_dict())
    for name, curve in evaluation.curves.items():
        write_csv(folder / f"{name}.csv", curve)
    write_csv(folder / "by_defect_type.csv", evaluation.by_type)
    with atomic_file(folder / "scores.parquet") as temporary:
        evaluation.scores.to_parquet(temporary, index=False)


def write_csv(file: Path, table: pd.DataFrame) -> None:
    """Write a table atomically, with no cell that a spreadsheet would run."""
    with atomic_file(file) as temporary:
        table.map(defused).to_csv(temporary, index=False, lineterminator="\n",
                                  quoting=csv.QUOTE_NONNUMERIC)


def metric_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Metric, value, interval and, where undefined, the reason."""
    rows = []
    for name, value in evaluation.metrics.items():
        found = evaluation.intervals.get(name)
        rows.append({"metric": name, "value": value, "low": found.low if found else None,
                     "high": found.high if found else None,
                     "reason": evaluation.undefined.get(name, "")})
    return rows


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, None for what is missing."""
    return [{key: None if value != value else value for key, value in row.items()}
            for row in table.to_dict("records")]
