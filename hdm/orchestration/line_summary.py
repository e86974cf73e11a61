"""What the last run of a line left behind, for tables and links: reads, never computes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hdm.errors import HDMError
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
    funnel: of POM.
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
        )

    def show(self, metric: str) -> str:
        """A metric as text: three decimals, or a dash where it is undefined or not there yet."""
        value = self.metrics.get(metric)
        return NOTHING if value is None else f"{value:.3f}"

    def show_interval(self, metric: str) -> str:
        """The metric's interval as text."""
        low_high = self.intervals.get(metric)
        return f"{low_high[0]:.3f} to {low_high[1]:.3f}" if low_high else NOTHING


def report_file(line: Line) -> Path:
    """The last evaluation report; it may not exist."""
    return line.stage_folder("evaluate") / "report.html"


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

