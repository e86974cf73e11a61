"""A candidate beside the line's champion, both scored on today's test images."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hdm.dataset.manifest import Manifest
from hdm.detector.detector import ignored_by
from hdm.evaluation.detection import Detection
from hdm.evaluation.evaluation import measure
from hdm.evaluation.paired import differences
from hdm.line import Line
from hdm.registry.fetch import fetch
from hdm.registry.gate import GateEvidence
from hdm.registry.gate_reason import Metrics
from hdm.registry.mlflow_client import first_line
from hdm.registry.mlflow_uris import model_uri
from hdm.registry.model_versions import Champion
from hdm.registry.rescore import rescore
from hdm.registry.training_data import TrainingData
from hdm.settings import Register

Bar = Callable[[str], AbstractContextManager[Callable[..., None]]]
"""A label -> a progress bar under it."""


class Candidate(NamedTuple):
    """The detector as it will be registered, its fingerprint, what evaluate measured, and what it
    was trained on."""

    folder: Path
    fingerprint: str
    metrics: Metrics
    detection: Detection
    training: TrainingData

    @property
    def evidence(self) -> GateEvidence:
        """What the gate knows of it without a champion."""
        return GateEvidence(self.metrics, detection=self.detection)


class Comparison(NamedTuple):
    """evidence: for the gate. champion_metrics: None without a champion, empty where it could not
    be scored; `problem` then says why."""

    evidence: GateEvidence
    champion_metrics: Metrics | None
    problem: str = ""


def compare_with_champion(line: Line, champion: Champion | None, candidate: Candidate,
                          test: Manifest, settings: Register, bar: Bar) -> Comparison:
    """Score both on the split `test`, unless there is no champion or it is the same model."""
    alone = candidate.evidence
    if champion is None:
        return Comparison(alone, None)
    if champion.fingerprint == candidate.fingerprint:
        return Comparison(replace(alone, champion="identical"), candidate.metrics)
    measured = line.stage_params("evaluate")
    # Intervals are not compared, so one resample is enough.
    quick = measured.model_copy(update={
        "evaluate": measured.evaluate.model_copy(update={"bootstrap": 1})})
    ignored = ignored_by(candidate.folder)
    try:
        with TemporaryDirectory(prefix="hdm-champion-") as scratch, \
                bar(f"scoring champion version {champion.version}") as report:
            address = model_uri(line.model_name, champion.version)
            folder = fetch(line, address, Path(scratch)).folder
            theirs = rescore(folder, test, measured.compute, report, ignored)
        champion_metrics = measure(theirs, quick).metrics
    # A champion made by other code may fail in any way; that must not block the line.
    except Exception as error:
        return Comparison(replace(alone, champion="unmeasured"), {}, first_line(error))
    with bar("scoring this model") as report:
        ours = rescore(candidate.folder, test, measured.compute, report, ignored)
    found = differences(ours, theirs, confidence=settings.confidence,
                        resamples=settings.bootstrap, seed=measured.seed,
                        costs=measured.evaluate.operating_point.costs)
    newer = candidate.training.newer_than(champion.training)
    return Comparison(replace(alone, champion="measured", differences=found, newer_data=newer),
                      champion_metrics)
