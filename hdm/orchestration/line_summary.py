"""What the last run of a line left behind, for tables and links: reads, never computes."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hdm.csv_cells import restored
from hdm.errors import HDMError
from hdm.evaluation.detection import DETECTION_FILE, Detection
from hdm.files import read_json
from hdm.line import Line

NOTHING = "–"
DECISIONS = {"promote": "promoted", "hold": "held", "refuse": "refused"}


@dataclass(frozen=True)
class Summary:
    """Parsed results of one line; what a stage has not made yet is empty.

    metrics: of evaluate, fractions, None where undefined. undefined: metric -> why.
    intervals: metric -> (low, high). decision of the gate: 'promoted', 'held' or 'refused'.
    version: in the model registry. run_id: MLflow run of the retraining. experiment: its id.
    funnel: of POM. detection: what is stopped at the operating point, None where that was not
    measured. aurocs: image AUROC by defect type.
    """

    line: str
    metrics: dict[str, float | None]
    undefined: dict[str, str]
    intervals: dict[str, tuple[float, float]]
    decision: str
    reasons: tuple[str, ...]
    version: str
    run_id: str
    experiment: str
    funnel: dict[str, Any]
    detection: Detection | None = None
    aurocs: dict[str, float | None] = field(default_factory=dict)

    @classmethod
    def load(cls, line: Line) -> "Summary":
        """Read the JSON files of the line's stages."""
        receipt = _read(line.stage_folder("register") / "receipt.json")
        ledger = _read(line.folder / "ledger.json")
        # The ledger knows a retraining that has not ended, the receipt the last that has.
        run = ledger.get("retrain") or {}
        return cls(
            line=line.name,
            metrics=_read(line.stage_folder("evaluate") / "metrics.json"),
            undefined=_read(line.stage_folder("evaluate") / "metrics_undefined.json"),
            intervals=_intervals(_read(line.stage_folder("evaluate") / "intervals.json")),
            decision=DECISIONS.get(receipt.get("outcome", ""), ""),
            reasons=tuple(reason["sentence"] for reason in receipt.get("reasons") or ()),
            version=str(receipt.get("version") or ""),
            run_id=str(run.get("run_id") or receipt.get("run_id") or ""),
            experiment=str(run.get("store") or receipt.get("store") or "").split("@")[0],
            funnel=_read(line.stage_folder("pom_filter") / "funnel.json"),
            detection=_detection(line.stage_folder("evaluate")),
            aurocs=_aurocs(line.stage_folder("evaluate") / "by_defect_type.csv"),
        )

    def show(self, metric: str) -> str:
        """A metric as text: three decimals, or a dash where it is undefined or not there yet."""
        return shown(self.metrics, metric)

    def show_interval(self, metric: str) -> str:
        """The metric's interval as text."""
        low_high = self.intervals.get(metric)
        return f"{low_high[0]:.3f} to {low_high[1]:.3f}" if low_high else NOTHING


def shown(figures: Mapping[str, float | None], metric: str) -> str:
    """A metric as text: three decimals, or a dash where it is undefined or not there yet."""
    value = figures.get(metric)
    return NOTHING if value is None else f"{value:.3f}"


def report_file(line: Line) -> Path:
    """The last evaluation report; it may not exist."""
    return line.stage_folder("evaluate") / "report.html"


def _detection(folder: Path) -> Detection | None:
    try:
        return Detection.load(folder) if (folder / DETECTION_FILE).is_file() else None
    except HDMError:
        return None


def _aurocs(file: Path) -> dict[str, float | None]:
    """Image AUROC by defect type; empty where the table is not there or not one."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return {restored(row["defect_type"]):
                    float(row["image_auroc"]) if row["image_auroc"] else None
                    for row in csv.DictReader(stream)}
    except (OSError, KeyError, ValueError, TypeError, csv.Error):
        return {}


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file) if file.is_file() else {}
    except HDMError:
        return {}
    return content if isinstance(content, dict) else {}


def _intervals(content: dict[str, Any]) -> dict[str, tuple[float, float]]:
    pairs = {name: (pair["low"], pair["high"]) if isinstance(pair, dict) else tuple(pair)
             for name, pair in content.items()
             if isinstance(pair, list) or (isinstance(pair, dict) and {"low", "high"} <= set(pair))}
    return {name: pair for name, pair in pairs.items() if None not in pair}

