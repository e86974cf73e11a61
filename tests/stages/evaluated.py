"""A small line to evaluate, a detector that knows its answers, and a run that remembers."""

import io
import json

import numpy as np
import tiny
from PIL import Image
from rich.console import Console

import hdm.detector.detector
from hdm.dataset.appearance import Appearance
from hdm.dataset.manifest import Manifest, Row
from hdm.detector.calibration import Calibration
from hdm.files import write_json
from hdm.line import Line
from hdm.pipelines import ProductLine
from hdm.settings import Params
from hdm.stage_run import NoRun
from hdm.stages import evaluate as stage

TEST_SET = {"name": "test-0123abcd", "frozen_as": "spring", "images": 18, "masks": 6,
            "defect_types": {"good": 12, "dent": 3, "scratch": 3}}
LOOK = Appearance(0.0, 0.0, 0.0)


class FakeDetector:
    """Brightness above 128 is anomalous; batches are remembered."""

    calibration = Calibration(
        (0.01, 0.02, 0.1), (LOOK, LOOK, LOOK), (0.05, 0.5), (1.0, 0.0), (1.0, 0.0))
    operating_point = None
    threshold = 0.1

    def __init__(self):
        self.form = tiny.input_format()
        self.info = {"canvas": [32, 32], "parameters": 1_234_567, "nested": {"not": "shown"}}
        self.batches = []

    def with_operating_point(self, point):
        self.operating_point = point
        return self

    def predict(self, images, batch_size=16, progress=None):
        self.batches.append(len(images))
        out = []
        for image in images:
            anomaly = (image > 128).astype(np.float32) * 0.9
            score = float(anomaly.mean()) * 4
            out.append(hdm.detector.detector.Prediction(
                score, 0.5, 0.5, "defect" if score > self.threshold else "good", self.threshold,
                anomaly, LOOK))
        return out


class RecordingRun(NoRun):
    def __init__(self):
        self.metrics, self.artifacts, self.tables, self.tags = {}, [], {}, {}

    def set_tags(self, tags):
        self.tags |= tags

    def log_metrics(self, metrics, step=None):
        self.metrics |= metrics

    def log_artifact(self, path, folder=None):
        assert path.exists()
        self.artifacts.append((path.name, folder))

    def log_table(self, name, rows):
        json.dumps(rows, allow_nan=False, default=str)
        self.tables[name] = rows


def make_line(folder, good=12, defects=6, masks=True):
    source = folder / "source"
    rows = []
    for number in range(good + defects):
        kind = "good" if number < good else ("dent", "scratch")[number % 2]
        pixels = np.full((32, 32), 90, np.uint8)
        mask_path = None
        if kind != "good":
            pixels[5:15, 8:20] = 200
            if masks:
                mask_path = f"ground_truth/{kind}/{number:03d}.png"
                file = folder / "data/plates/ingest/masks" / mask_path
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray((pixels > 128).astype(np.uint8) * 255).save(file)
        path = f"test/{kind}/{number:03d}.png"
        file = source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
        rows.append(Row(path, "test", int(kind != "good"), kind, mask_path, str(number), 32, 32,
                        1, 8, 8, "0" * 64))
    entry = ProductLine(source={"path": "source"}, description="Plates", owner="q@example.com")
    params = Params.model_validate({"evaluate": {"bootstrap": 20}})
    line = Line("plates", folder, entry, params)
    Manifest.of(rows, source).save(line.manifest_file)
    write_json(line.test_set_file, TEST_SET | {"waiting": ["test/dent/later.png"]})
    return line


def run(line, tracking=None):
    console = Console(file=io.StringIO(), width=120)
    stage.run(line, line.params, tracking or NoRun(), console)
    return console.file.getvalue()


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def read(line, name):
    return json.loads((line.stage_folder("evaluate") / name).read_text())
