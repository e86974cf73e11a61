"""The decision record in the forms that people and programs read it in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from typing import Any

from hdm.line import Line
from hdm.registry.detection_tag import DETECTION, detection_tag
from hdm.registry.gate import Decision, GateEvidence
from hdm.registry.gate_reason import Metrics
from hdm.registry.mlflow_uris import TEXT_LENGTH
from hdm.registry.model_versions import (
    CHAMPION_BEFORE,
    FINGERPRINT,
    RETRAIN_RUN,
    Champion,
)
from hdm.registry.training_data import TrainingData
from hdm.settings import Register

TITLES = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "image_ap": "image AP",
          "pixel_ap": "pixel AP", "aupro": "AUPRO", "image_f1": "F1 at the threshold",
          "recall": "recall at the threshold", "false_alarm_rate": "false alarms at the threshold"}


@dataclass(frozen=True)
class DecisionRecord:
    """A decision of the gate and all that it was about.

    fingerprint: of the detector. data_hash: of the manifest. champion, champion_metrics: of the
    version that served before, None without one. training: what the model learned from.
    """

    line: Line
    settings: Register
    evidence: GateEvidence
    decision: Decision
    fingerprint: str
    data_hash: str
    commit: str = ""
    champion: Champion | None = None
    champion_metrics: Metrics | None = None
    test_set: str = ""
    training: TrainingData | None = None

    @property
    def metrics(self) -> Metrics:
        """Of the model that was decided on."""
        return self.evidence.metrics

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: decision.json of the retrain run."""
        champion = None if self.champion is None else {
            "version": self.champion.version, "fingerprint": self.champion.fingerprint,
            "metrics": _main(self.champion_metrics or {})}
        packaged, found = self.evidence.packaged, self.evidence.detection
        return {"line": self.line.name, **self.decision.as_dict(), "metrics": dict(self.metrics),
                "test_set": self.test_set, "packaged": packaged and packaged._asdict(),
                "detection": found and found.as_dict(),
                "differences": [this._asdict() for this in self.evidence.differences],
                "champion_before": champion, "fingerprint": self.fingerprint,
                "data_hash": self.data_hash, "git_commit": self.commit}

    def receipt(self) -> dict[str, Any]:
        """JSON-able: the decision part of the stage's receipt.json."""
        return {"line": self.line.name, "model": self.line.model_name,
                "fingerprint": self.fingerprint, "data_hash": self.data_hash,
                "test_set": self.test_set, **self.decision.as_dict(),
                **{name: self.metrics.get(name)
                   for name in ("image_auroc", "pixel_auroc", "recall", "false_alarm_rate",
                                "threshold")}}

    def tags(self, run_id: str) -> dict[str, str]:
        """Tags of the model version; empty ones are left out."""
        codes = ", ".join(reason.code for reason in self.decision.reasons)
        tags = {
            "line": self.line.name, "hdm.decision": self.decision.outcome, "hdm.reasons": codes,
            "hdm.decision_record": _fitting(self.decision),
            FINGERPRINT: self.fingerprint, RETRAIN_RUN: run_id, "hdm.data_hash": self.data_hash,
            "hdm.git_commit": self.commit, "hdm.test_set": self.test_set,
            CHAMPION_BEFORE: self.champion.version if self.champion else "",
            **(self.training.tags() if self.training else {}),
            DETECTION: detection_tag(found) if (found := self.evidence.detection) else "",
            **{f"hdm.{name}": f"{value:.6g}" for name, value in _main(self.metrics).items()
               if value is not None}}
        return {key: value for key, value in tags.items() if value}


def _fitting(decision: Decision) -> str:
    """The decision as JSON that fits a tag; where too long, what did not decide goes first."""
    first = decision.deciding
    worth = (*first, *(reason for reason in decision.reasons if reason not in first))
    for kept in range(len(worth), -1, -1):
        reasons = tuple(reason for reason in decision.reasons if reason in worth[:kept])
        text = json.dumps(Decision(decision.outcome, reasons).as_dict())
        if len(text) <= TEXT_LENGTH:
            break
    return text


def environment() -> str:
    """Every installed distribution with its version, as `pip freeze` lists them."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"]}
    return "\n".join(sorted(found, key=str.lower)) + "\n"


def _main(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: metrics.get(name) for name in (*TITLES, "threshold")}
