"""A product line: its merged configuration, and where its files are."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hdm.config import load_params, load_pipelines, merge
from hdm.errors import ConfigError
from hdm.files import read_json
from hdm.pipelines import ProductLine
from hdm.settings import Params

TRAINED = "trained"
"""Stands for a version's number where a detector answers that was not registered."""
TEST_SET = "test_set"
"""Key of ingest's settings file: which frozen test set it takes."""
REGION = "region"
"""Key of dagm_fit's settings file: which region of the picture is inspected."""
FEEDBACK = "feedback"
"""Key of ddm_train's settings file: what people said, digests by id."""
SOURCE = "source"
"""Key of ingest's settings file: what a person has said of the source."""
CHANGE = Path(".hdm", "line_change.json")
"""In the project: a line is being renamed, copied or removed (see hdm.line_changes.change_plan)."""


def find_project(start: Path | None = None) -> Path:
    """The nearest folder at or above `start` (default: here) that holds pipelines.yaml.

    Raises ConfigError if there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "pipelines.yaml").is_file():
            return folder
    raise ConfigError(f"expected a project with pipelines.yaml at or above {here}, found none; "
                      "change into the project's folder.")


@dataclass(frozen=True)
class Line:
    """One product line of a project; every path of the line is made here and nowhere else."""

    name: str
    project: Path
    entry: ProductLine
    params: Params

    @classmethod
    def load(cls, name: str, project: Path | None = None) -> "Line":
        """Read both YAML files; raises ConfigError for an unknown line, a bad key, or a line whose
        renaming or removal was cut off."""
        folder = project or find_project()
        _refuse_half_changed(name, folder)
        lines = load_pipelines(folder).lines
        if name not in lines:
            raise ConfigError(f"no product line {name!r} in pipelines.yaml; it has: "
                              f"{', '.join(sorted(lines)) or 'none'}.")
        entry = lines[name]
        return cls(name, folder, entry, load_params(folder, entry, name))

    @property
    def folder(self) -> Path:
        """Everything the pipeline makes of this line."""
        return self.project / "data" / self.name

    @cached_property
    def source(self) -> Path:
        """The source folder or table; the manifest's paths are relative to `source_root`."""
        return Path(os.path.normpath(self.project / self.entry.source.path))

    @property
    def source_root(self) -> Path:
        """The folder that the manifest's paths are relative to."""
        return self.source.parent if self.source.is_file() else self.source

    def stage_folder(self, stage: str) -> Path:
        """Where `stage` puts its outputs."""
        return self.folder / stage

    def work_folder(self, stage: str) -> Path:
        """Resume points and caches of `stage`; never an output, safe to delete."""
        return self.folder / ".work" / stage

    def settings_file(self, stage: str) -> Path:
        """The stage's resolved settings, which DVC watches."""
        return self.folder / "config" / f"{stage}.json"

    def stage_params(self, stage: str) -> Params:
        """The settings that `configure` resolved for `stage`: what DVC saw is what runs.

        Keys of other stages are at their defaults. Raises ConfigError or HDMError.
        """
        settings: dict[str, Any] = read_json(self.settings_file(stage))
        if isinstance(settings, dict):
            for extra in (TEST_SET, REGION, FEEDBACK, SOURCE):
                settings.pop(extra, None)
        try:
            return Params.model_validate(merge({}, settings))
        except (ValueError, TypeError, AttributeError):
            raise ConfigError(f"{self.settings_file(stage)} holds other settings than this "
                              "version knows; delete it and run `dvc repro`.") from None

    @property
    def store_file(self) -> Path:
        """What the store probe found of the line (see hdm.stages.store_probe)."""
        return self.project / "data" / ".stores" / f"{self.name}.json"

    @property
    def frozen_folder(self) -> Path:
        """The line's frozen test sets, one CSV file each; git tracks them."""
        return self.project / "test_sets" / self.name

    @property
    def learned_feedback(self) -> Path:
        """The pictures that the last training learned from, for DVC to keep."""
        return self.stage_folder("ddm_train") / FEEDBACK

    @property
    def region_file(self) -> Path:
        """What of the line's pictures is inspected (see hdm.dataset.line_region); git tracks it."""
        return self.project / "regions" / f"{self.name}.json"

    @property
    def feedback(self) -> Path:
        """What people said of the line's pictures (see hdm.dataset.feedback_entries)."""
        return self.project / "feedback" / self.name

    @property
    def inbox(self) -> Path | None:
        """Where new images are dropped; None if the line has no inbox."""
        return Path(os.path.normpath(self.project / self.entry.inbox)) if self.entry.inbox else None

    @property
    def test_set_file(self) -> Path:
        """Name and counts of the present test set."""
        return self.stage_folder("ingest") / "test_set.json"

    @property
    def manifest_file(self) -> Path:
        """The table of all images (see hdm.dataset.manifest)."""
        return self.stage_folder("ingest") / "manifest.parquet"

    @property
    def progress_file(self) -> Path:
        """How far a run is (see hdm.orchestration.run_progress)."""
        return self.work_folder("progress.json")

    @property
    def detector_folder(self) -> Path:
        """The calibrated detector, as `hdm.HDM.load` takes it."""
        return self.stage_folder("ddm_train") / "detector"

    @property
    def operating_point_file(self) -> Path:
        """The operating point that evaluate chose for the detector."""
        return self.stage_folder("evaluate") / "operating_point.json"

    @property
    def log_folder(self) -> Path:
        """The log of the line's predictions (see hdm.monitoring.prediction_log)."""
        return self.folder / "log"

    @property
    def monitor_folder(self) -> Path:
        """What the last look for drift found (see hdm.monitoring.drift_check)."""
        return self.folder / "monitor"

    @property
    def model_name(self) -> str:
        """The name in the MLflow model registry."""
        return f"hdm-{self.name}"


def _refuse_half_changed(name: str, project: Path) -> None:
    """Half of what bears the line's name has another one by now; who changes it may look."""
    file = project / CHANGE
    if not file.is_file():
        return
    plan = read_json(file)
    if name in (plan.get("old"), plan.get("new")) and plan.get("pid") != os.getpid():
        raise ConfigError(f"`{plan.get('command')}` is under way or was cut off; wait for it, or "
                          "say the same again, which finishes it.")
