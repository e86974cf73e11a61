"""What a version's evaluation wrote, fetched from MLflow once and kept beside the line."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hdm.detector.operating_point import OPERATING_POINT_FILE, OperatingPoint
from hdm.errors import HDMError, RegistryError
from hdm.evaluation.detection import Detection
from hdm.files import atomic_folder, read_json
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.history import VersionRecord, versions
from hdm.registry.mlflow_client import connect, first_line

if TYPE_CHECKING:
    import pandas as pd

SCORES, CURVE = "scores.parquet", "curves/operating_curve.csv"
FILES = (SCORES, CURVE, "detection.json", "metrics.json", "intervals.json", OPERATING_POINT_FILE,
         "test_set.json")


@dataclass(frozen=True)
class VersionFiles:
    """A version of a line, and a folder with FILES as its evaluation wrote them."""

    record: VersionRecord
    folder: Path

    @property
    def scores(self) -> "pd.DataFrame":
        """One row a test image: path, label, defect_type, group, score, p_value, probability,
        decision, reasons."""
        import pandas as pd

        return pd.read_parquet(self.folder / SCORES)

    @property
    def curve(self) -> "pd.DataFrame":
        """One row a threshold, ascending: see hdm.detector.operating_point.curve."""
        import pandas as pd

        return pd.read_csv(self.folder / Path(CURVE).name)

    @property
    def detection(self) -> Detection:
        """What it stops."""
        return Detection.load(self.folder)

    @property
    def point(self) -> OperatingPoint:
        """Its threshold."""
        return OperatingPoint.load(self.folder / OPERATING_POINT_FILE)

    @property
    def test_set(self) -> str:
        """The name of what it was measured on."""
        return str(self._json("test_set.json").get("name", ""))

    @property
    def metrics(self) -> dict[str, Any]:
        """By name; what is not defined is not there."""
        return self._json("metrics.json")

    @property
    def intervals(self) -> dict[str, Any]:
        """Metric -> low, high and reason; what has no interval has None, and the reason why."""
        return self._json("intervals.json")

    def _json(self, name: str) -> dict[str, Any]:
        content = read_json(self.folder / name)
        return content if isinstance(content, dict) else {}


def version_files(line: Line, version: int) -> VersionFiles:
    """A version's evaluation; from the copy in data/<line>/.work/home once it was fetched.

    Raises RegistryError for an unknown version, or if MLflow does not have the files any more.
    """
    record = next((one for one in versions(line) if one.version == version), None)
    if record is None:
        raise RegistryError(f"{line.model_name} has no version {version}.")
    # The run is named, too: numbers begin again in a new store.
    folder = line.work_folder("home") / f"version-{version}-{record.run_id[:12]}"
    if not folder.is_dir():
        _fetch(line, record, folder)
    return VersionFiles(record, folder)


def _fetch(line: Line, record: VersionRecord, folder: Path) -> None:
    client = connect(tracking_uri(line.project))
    try:
        run = client.get_run(record.run_id).data.tags["stage.evaluate"]
        with tempfile.TemporaryDirectory() as scratch, atomic_folder(folder) as kept:
            for name in FILES:
                found = Path(client.download_artifacts(run, name, scratch))
                (kept / found.name).write_bytes(found.read_bytes())
    except HDMError:
        raise
    except Exception as error:
        raise RegistryError(f"MLflow has no evaluation of {line.model_name} version "
                            f"{record.version} any more ({first_line(error)}).") from error
