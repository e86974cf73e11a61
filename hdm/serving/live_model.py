"""A version of a line's model in memory, checked before it serves."""

import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hdm.detector.regions import RegionRule
from hdm.errors import RegistryError
from hdm.evaluation.detection import DETECTION_COLUMNS, detection_rows
from hdm.line import Line
from hdm.registry.fetch import fetch
from hdm.registry.history import versions
from hdm.registry.mlflow_uris import model_uri
from hdm.serving.serving_options import BackendName

if TYPE_CHECKING:
    from hdm.detector.detector import Prediction

CHECK_SIDE = 64
EXPORT_PATIENCE = 600.0


class Judge(Protocol):
    """What judges images: `hdm.HDM`, or its likeness in another runtime."""

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16) -> "list[Prediction]":
        """See `hdm.HDM.predict`."""


@dataclass(frozen=True)
class Served:
    """A version and what is to be known of it; never changed, only replaced.

    rule: what is told as a region. facts: for GET /v1/<line>/model.
    """

    line: str
    version: str
    judge: Judge
    rule: RegionRule
    facts: dict[str, Any]


def load(line: Line, version: str, backend: BackendName) -> Served:
    """Fetch a version, load it and let it judge a small image.

    Raises HDMError if its files are missing, damaged or do not work.
    """
    judge, facts = (_in_torch if backend == "torch" else _in_runtime)(line, version)
    pixel = facts.pop("pixel")
    facts.pop("ignored", None)  # for machines: people are told its share
    rule = RegionRule.of(facts["threshold"], pixel, facts["input"])
    served = Served(line.name, version, judge, rule,
                    {"line": line.name, "model": line.model_name, "version": version,
                     "backend": backend, **facts, "measured": _measured(line, version)})
    check(served)
    return served


def _measured(line: Line, version: str) -> dict[str, Any] | None:
    """What the version stopped of its test set, as figures and as the table that every place shows;
    None where it was registered without."""
    record = next((one for one in versions(line) if str(one.version) == version), None)
    if record is None or record.detection is None:
        return None
    rows = detection_rows(record.detection, overall=record.image_auroc)
    return {"image_auroc": record.image_auroc, "pixel_auroc": record.pixel_auroc,
            **record.detection.as_dict(),
            "table": [list(DETECTION_COLUMNS[:-1]), *(list(row[:-1]) for row in rows)]}


def _in_torch(line: Line, version: str) -> tuple[Judge, dict[str, Any]]:
    from hdm.detector.detector import HDM
    from hdm.export.model_facts import facts_of

    # A copy that is deleted: a registry behind HTTP would leave one on the disk at every reload.
    with tempfile.TemporaryDirectory(prefix="hdm-serve-") as scratch:
        folder = fetch(line, model_uri(line.model_name, version), Path(scratch)).folder
        compute = line.params.compute
        detector = HDM.load(folder, device=compute.device, precision=compute.precision,
                            threads=compute.threads)
    try:
        return detector, facts_of(detector)
    except ValueError as error:
        raise RegistryError(f"{line.model_name} version {version}: {error}.") from None


def _in_runtime(line: Line, version: str) -> tuple[Judge, dict[str, Any]]:
    """Exported by a process of its own: it is seconds of Python, which requests would feel."""
    from hdm.export.runtime_detector import RuntimeDetector

    with tempfile.TemporaryDirectory(prefix="hdm-serve-") as scratch:
        file = Path(scratch) / "model.onnx"
        command = [sys.executable, "-m", "hdm", "export", line.name, "--output", str(file),
                   "--model", model_uri(line.model_name, version), "--depth", "16"]
        done = subprocess.run(command, cwd=line.project, capture_output=True, text=True,
                              errors="replace", timeout=EXPORT_PATIENCE)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it ended without a word"]
            raise RegistryError(lines[-1].removeprefix("error: "))
        detector = RuntimeDetector(file, line.params.compute.threads)
    return detector, {key: value for key, value in detector.facts.items()
                      if key not in ("line", "model", "version", "depth")}


def check(served: Served) -> None:
    """Raise RegistryError if the model does not judge a grey ramp with finite figures."""
    ramp = np.tile(np.linspace(0, 255, CHECK_SIDE, dtype=np.uint8), (CHECK_SIDE, 1))
    try:
        found, = served.judge.predict([ramp])
        sound = math.isfinite(found.score) and bool(np.isfinite(found.anomaly_map).all()) \
            and found.anomaly_map.shape == ramp.shape
    except Exception as error:
        raise RegistryError(f"version {served.version} of {served.line} does not judge an image "
                            f"({type(error).__name__}: {str(error)[:200]}).") from error
    if not sound:
        raise RegistryError(f"version {served.version} of {served.line} answers with figures that "
                            "are no numbers; its weights are damaged.")
