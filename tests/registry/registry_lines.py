"""What the tests of this room build lines, stores, detectors and images from."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from recorded_stages import record_outputs

from hdm.dataset.manifest import Manifest, Row
from hdm.evaluation.detection import DETECTION_FILE
from hdm.evaluation.paired import Difference
from hdm.evaluation.stopped_parts import count_stopped
from hdm.files import read_json, write_json
from hdm.line import Line
from hdm.pipelines import ProductLine, Source
from hdm.registry import history
from hdm.registry.decision_record import DecisionRecord
from hdm.registry.gate import GateEvidence, gate
from hdm.registry.model_versions import Champion
from hdm.registry.tracking import stage_run
from hdm.settings import Params
from hdm.stages import register

# Scores an image by gain x mean brightness: enough to have good and bad champions.
FAKE_DETECTOR = '''
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
import numpy as np

@dataclass(frozen=True)
class Prediction:
    score: float
    p_value: float
    probability: float
    decision: str
    threshold: float
    anomaly_map: np.ndarray
    reasons: tuple = ()
    ignored: np.ndarray | None = None

class HDM:
    def __init__(self, gain): self.gain = gain

    @classmethod
    def load(cls, folder, device="auto", precision="auto", threads=None):
        return cls(json.loads((Path(folder) / "detector.json").read_text())["gain"])

    @property
    def calibration(self): return SimpleNamespace(part_scores=np.array([]))

    def predict(self, images, batch_size=16, progress=None):
        out = []
        for image in images:
            grey = image.reshape(*image.shape[:2], -1).mean(2) / np.iinfo(image.dtype).max
            score = self.gain * float(grey.mean())
            out.append(Prediction(score, 0.5, 0.25, "defect" if score > 0.5 else "good", 0.5,
                                  np.clip(grey * self.gain, 0, 1).astype(np.float32)))
        return out
'''


def make_line(project: Path, name: str = "plate", **register) -> Line:
    entry = ProductLine(source=Source(path="raw"), owner="quality@example.com")
    return Line(name, project, entry, Params.model_validate({"register": register}))


def decided(tmp_path: Path, champion: bool = True) -> DecisionRecord:
    """A promotion, over version 4 or as the first of its line."""
    line = make_line(tmp_path, minimum_image_auroc=0.8)
    ours = {"image_auroc": 0.91234, "pixel_auroc": None, "threshold": 1.5}
    theirs = {"image_auroc": 0.85, "pixel_auroc": None} if champion else None
    found = (Difference("image_auroc", 0.91234, 0.85, 0.06234, 0.02, 0.1),)
    evidence = GateEvidence(ours, "measured", found) if champion else GateEvidence(ours)
    return DecisionRecord(line, line.params.register_, evidence,
                          gate(evidence, line.params.register_), "f" * 64, "d" * 64, "c" * 40,
                          Champion("4", "e" * 64) if champion else None, theirs, "test-1234")


def copy_store(template: Path, project: Path) -> None:
    shutil.copyfile(template, project / "mlflow.db")
    with sqlite3.connect(project / "mlflow.db") as database:
        database.execute("update experiments set artifact_location = ?",
                         ((project / "mlruns").as_uri(),))
    database.close()


def write_detector(line: Line, gain: float) -> None:
    write_json(line.detector_folder / "detector.json", {"gain": gain})
    record_outputs(line.project, line.name)


def write_metrics(line: Line, **metrics) -> None:
    write_json(line.stage_folder("evaluate") / "metrics.json",
               {"image_auroc": 1.0, "pixel_auroc": None, "threshold": 0.5, **metrics})
    write_detection(line)
    if line.manifest_file.is_file():
        write_scores(line)
    record_outputs(line.project, line.name)


def add_training_image(line: Line, sha256: str) -> None:
    """One more row of the split train, whose file nobody opens here."""
    rows = list(Manifest.load(line.manifest_file, line.source))
    rows.append(Row(f"train{sha256[0]}.png", "train", 0, "good", None, f"train{sha256[0]}", 8, 8,
                    1, 8, 8, sha256))
    Manifest.of(rows, line.source).save(line.manifest_file)


def write_detection(line: Line, escapes: int = 0, alarms: int = 0) -> None:
    """What evaluate counts where that many of 12 defective and 12 good parts went wrong."""
    rows = [{"label": int(bad), "defect_type": "scratch" if bad else "good",
             "group": f"{bad}{number}", "decision": "defect" if bad != (number < wrong) else "good"}
            for bad, wrong in ((True, escapes), (False, alarms)) for number in range(12)]
    write_json(line.stage_folder("evaluate") / DETECTION_FILE, count_stopped(rows, 0.95).as_dict())
    record_outputs(line.project, line.name)


def write_scores(line: Line, error: float = 0.0) -> None:
    """What evaluate leaves for each test image of the fake detector, wrong by `error`."""
    gain = json.loads((line.detector_folder / "detector.json").read_text())["gain"]
    rows = []
    for row in Manifest.load(line.manifest_file, line.source).split("test"):
        pixels = np.asarray(Image.open(line.source / row.path))
        score = (gain if isinstance(gain, float) else 0.0) * float(pixels.mean()) / 255 + error
        rows.append({"path": row.path, "label": row.label, "defect_type": row.defect_type,
                     "group": row.group, "score": score, "p_value": 0.5, "probability": 0.25,
                     "decision": "defect" if score > 0.5 else "good", "reasons": ""})
    pd.DataFrame(rows).to_parquet(line.stage_folder("evaluate") / "scores.parquet")
    record_outputs(line.project, line.name)


def write_images(line: Line, good: int = 12, defects: int = 12) -> None:
    """Dark good and bright defective test images, with their manifest."""
    rows = []
    for number in range(good + defects):
        bright = number >= good
        name = f"{number:02}.png"
        pixels = np.full((8, 8), (200 if bright else 40) + number, np.uint8)
        line.source.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(line.source / name)
        rows.append(Row(name, "test", int(bright), "scratch" if bright else "good", None,
                        str(number), 8, 8, 1, 8, 8, "0" * 64))
    Manifest.of(rows, line.source).save(line.manifest_file)
    write_json(line.settings_file("evaluate"), {"seed": 0, "evaluate": {"bootstrap": 1}})


def retrain(line: Line, console, gain: float, auroc: float = 1.0) -> dict:
    """One retrain as the pipeline does it, from a detector to the receipt."""
    write_detector(line, gain)
    write_metrics(line, image_auroc=auroc)
    with stage_run(line, "evaluate", {"bootstrap": 1}):
        pass
    with stage_run(line, "register", {}) as run:
        register.run(line, line.params, run, console)
    return read_json(history.receipt_file(line))
