"""The images that a model was trained, calibrated and tested on, as MLflow's data sets.

A data set of MLflow is a name, a digest, where it lies and its columns: no image is copied.
"""

import hashlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hdm.line import Line

if TYPE_CHECKING:
    from hdm.dataset.manifest import Manifest  # it imports pandas

COLUMNS = ["path", "defect_type", "group", "sha256"]
CONTEXTS = ("training", "calibration", "evaluation")
BY_CALIBRATION = {"threshold", "calibration_images", "calibration_parts",
                  "stated_false_alarm_rate", "promised_false_alarm_rate",
                  "likely_false_alarm_rate", "smallest_false_alarm_rate"}
"""Figures that follow from the calibration images; all others are measured on the test images."""


class UsedData(NamedTuple):
    """One data set a split; `calibration` set the threshold, `test` gave the figures."""

    training: Any
    calibration: Any
    test: Any

    @classmethod
    def of(cls, mlflow: Any, line: Line, manifest: "Manifest", test: "Manifest", test_set: str
           ) -> "UsedData":
        """manifest: all images of the line. test: those that were measured. test_set: its name."""
        def dataset(part: "Manifest", name: str) -> Any:
            frame = part.frame
            seen = hashlib.sha256("\n".join(sorted(frame["sha256"])).encode())
            # As it is written in pipelines.yaml: that stays true where the project is moved.
            return mlflow.data.from_pandas(
                frame[COLUMNS], source=line.entry.source.path, targets="defect_type", name=name,
                digest=seen.hexdigest()[:12])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cls(dataset(manifest.split("train"), f"{line.name} train"),
                       dataset(manifest.split("calibration"), f"{line.name} calibration"),
                       dataset(test, test_set or f"{line.name} test"))

    def log(self, mlflow: Any, model_id: str, metrics: Mapping[str, float | None]) -> None:
        """Name the data sets in the active run, and tie each metric to its own and to the model."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for used, context in zip(self, CONTEXTS, strict=True):
                mlflow.log_input(used, context=context)
        known = {name: float(value) for name, value in metrics.items() if value is not None}
        for dataset, own in ((self.test, False), (self.calibration, True)):
            mlflow.log_metrics({name: value for name, value in known.items()
                                if (name in BY_CALIBRATION) is own},
                               model_id=model_id, dataset=dataset)
