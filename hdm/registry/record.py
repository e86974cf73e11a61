"""The decision record in the forms that people and programs read it in."""

import json
from collections.abc import Mapping
from importlib.metadata import distributions
from typing import Any

from hdm.line import Line
from hdm.registry.gate import Evidence, Metrics, gate
from hdm.registry.promotion import (
    CHAMPION_BEFORE,
    FINGERPRINT,
    RETRAIN_RUN,
    TAG_LENGTH,
    Champion,
)
from hdm.settings import Register

TITLES = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "image_ap": "image AP",
          "pixel_ap": "pixel AP", "aupro": "AUPRO", "image_f1": "F1 at the threshold"}
DESCRIPTION_LENGTH = 4900  # MLflow's limit is 5000


class Context:
    """A decision and all that it was about: what the record's forms are made from."""

    def __init__(self, line: Line, settings: Register, evidence: Evidence, fingerprint: str,
                 data_hash: str, commit: str, champion: Champion | None = None,
                 champion_metrics: Metrics | None = None, test_set: str = "") -> None:
        self.line, self.settings, self.metrics = line, settings, evidence.metrics
        self.evidence, self.decision = evidence, gate(evidence, settings)
        self.fingerprint, self.data_hash, self.commit = fingerprint, data_hash, commit
        self.champion, self.champion_metrics = champion, champion_metrics
        self.test_set = test_set

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: decision.json of the retrain run."""
        champion = None if self.champion is None else {
            "version": self.champion.version, "fingerprint": self.champion.fingerprint,
            "metrics": _main(self.champion_metrics or {})}
        packaged = self.evidence.packaged
        return {"line": self.line.name, **self.decision.as_dict(), "metrics": dict(self.metrics),
                "test_set": self.test_set, "packaged": packaged and packaged._asdict(),
                "differences": [found._asdict() for found in self.evidence.differences],
                "champion_before": champion, "fingerprint": self.fingerprint,
                "data_hash": self.data_hash, "git_commit": self.commit}

    def tags(self, run_id: str) -> dict[str, str]:
        """Tags of the model version; empty ones are left out."""
        codes = ", ".join(reason.code for reason in self.decision.reasons)
        tags = {
            "line": self.line.name, "hdm.decision": self.decision.outcome, "hdm.reasons": codes,
            "hdm.decision_record": json.dumps(self.decision.as_dict())[:TAG_LENGTH],
            FINGERPRINT: self.fingerprint, RETRAIN_RUN: run_id, "hdm.data_hash": self.data_hash,
            "hdm.git_commit": self.commit, "hdm.test_set": self.test_set,
            CHAMPION_BEFORE: self.champion.version if self.champion else "",
            **{f"hdm.{name}": f"{value:.6g}" for name, value in _main(self.metrics).items()
               if value is not None}}
        return {key: value for key, value in tags.items() if value}

    def description(self, run_link: str) -> str:
        """Markdown of the model version: verdict, AUROC table, reasons, where it comes from."""
        required = {"image_auroc": self.settings.minimum_image_auroc,
                    "pixel_auroc": self.settings.minimum_pixel_auroc}
        before = f"champion before (v{self.champion.version})" if self.champion \
            else "champion before"
        rows = [f"| {title} | {_number(self.metrics.get(name))} | "
                f"{_number((self.champion_metrics or {}).get(name))} | "
                f"{_number(required.get(name))} |" for name, title in TITLES.items()]
        text = "\n".join([
            f"**{self.decision.outcome}** · product line `{self.line.name}`", "",
            *(f"- {reason.sentence}" for reason in self.decision.reasons), "",
            f"| on the test split | this model | {before} | required |", "|---|---|---|---|",
            *rows, "",
            f"Threshold {_number(self.metrics.get('threshold'))} · test set "
            f"`{self.test_set or 'unnamed'}` · data `{self.data_hash[:12]}` · "
            f"detector `{self.fingerprint[:12]}` · commit `{self.commit[:12] or 'unknown'}` · "
            f"[retrain run]({run_link})"])
        return text[:DESCRIPTION_LENGTH]


def environment() -> str:
    """Every installed distribution with its version, as `pip freeze` lists them."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"]}
    return "\n".join(sorted(found, key=str.lower)) + "\n"


def _main(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: metrics.get(name) for name in (*TITLES, "threshold")}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
