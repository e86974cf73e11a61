"""A judge that needs no network, a registry that is a dictionary, and requests to the routes."""

import io
import threading
import time
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from hdm.dataset.appearance import Appearance
from hdm.detector.decidability import Doubt
from hdm.detector.detector import Prediction, decided
from hdm.detector.regions import RegionRule
from hdm.errors import RegistryError
from hdm.line import Line
from hdm.pipelines import ProductLine, Source
from hdm.serving import champion_watch
from hdm.serving.app import build_app
from hdm.serving.line_service import Service
from hdm.serving.live_model import Served
from hdm.serving.serving_options import Options
from hdm.settings import Params

DIM = 93
"""Grey value, of 255, of a picture that the fake judge calls undecidable."""


class FakeJudge:
    """Scores an image by its mean grey value / 255; above 0.5 it is a defect."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause, self.batches = pause, []

    def predict(self, images, batch_size=16):
        self.batches.append(len(images))
        time.sleep(self.pause)
        return [self._one(image) for image in images]

    def _one(self, image):
        grey = image.reshape(*image.shape[:2], -1).mean(2) / np.iinfo(image.dtype).max
        score = float(grey.mean())
        if score == 1.0:
            raise ValueError("a white image breaks this model")
        reasons = (Doubt("too_dark", "The picture is too dark."),) \
            if round(255 * score, 6) == DIM else ()
        return Prediction(score, 0.25, score, decided(score > 0.5, reasons), 0.5,
                          grey.astype(np.float32), Appearance(score, 0.0, 0.0), reasons)


class FakeRegistry:
    """Live versions by line; a RegistryError is raised, other versions load as fakes."""

    def __init__(self, **live) -> None:
        self.live, self.broken, self.loads, self.pause = live, {}, [], 0.0
        self.judges = []
        self.gate = threading.Event()
        self.gate.set()

    def live_version(self, line: Line):
        found = self.live.get(line.name)
        if isinstance(found, Exception):
            raise found
        return found

    def load(self, line: Line, version: str, backend: str) -> Served:
        self.loads.append(version)
        self.gate.wait(10)
        if version in self.broken:
            raise self.broken[version]
        self.judges.append(FakeJudge(self.pause))
        return Served(line.name, version, self.judges[-1], RegionRule(0.5),
                      {"line": line.name, "version": version, "threshold": 0.5})

    def put(self, monkeypatch) -> None:
        monkeypatch.setattr(champion_watch, "live_version", self.live_version)
        monkeypatch.setattr(champion_watch, "load", self.load)


GONE = RegistryError("MLflow does not answer.")


def make_line(project: Path, name: str = "plate") -> Line:
    return Line(name, project, ProductLine(source=Source(path="raw")), Params())


def make_service(project: Path, *names: str, **options) -> Service:
    lines = [make_line(project, name) for name in names or ("plate",)]
    return Service(lines, Options(**{"poll": 0.02, "log": False, **options}))


def client_of(service: Service) -> httpx.AsyncClient:
    """Requests into the application itself, many at once, in the test's own event loop."""
    transport = httpx.ASGITransport(app=build_app(service), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30)


def png(value: int = 60, *shape: int, dtype: type = np.uint8) -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.fromarray(np.full(shape or (8, 10), value, dtype)).save(buffer, format="PNG")
    return buffer.getvalue()
