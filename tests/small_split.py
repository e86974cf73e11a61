"""A small test split on disk and a fake detector's predictions of it."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from hdm.dataset.manifest import Manifest, Row
from hdm.settings import Params

SIDE = 32


@dataclass(frozen=True)
class FakePrediction:
    score: float
    p_value: float
    probability: float
    decision: str
    threshold: float
    anomaly_map: np.ndarray
    reasons: tuple[tuple[str, str], ...] = ()
    ignored: np.ndarray | None = None


@dataclass(frozen=True)
class Split:
    """A manifest and, by path, what the fake detector says."""

    manifest: Manifest
    predictions: dict[str, FakePrediction]

    def ordered(self):
        return [self.predictions[row.path] for row in self.manifest]


class SplitBuilder:
    """Adds images one by one; the map is 0.8 where `hit` and 0.1 elsewhere."""

    def __init__(self, root):
        self.root, self.rows, self.predictions = root, [], {}

    def add(self, name, kind, score, *, mask=True, hit=True, group=None, depth=8, threshold=0.5):
        random = np.random.default_rng(len(self.rows))
        pixels = random.integers(60, 200, (SIDE, SIDE)).astype(np.uint8)
        path = f"test/{kind}/{name}.png"
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels if depth == 8 else pixels.astype(np.uint16) * 16).save(file)
        marked = np.zeros((SIDE, SIDE), dtype=bool)
        if kind != "good":
            marked[4:12, 4:12] = True
        mask_path = None
        if kind != "good" and mask:
            mask_path = f"ground_truth/{kind}/{name}_mask.png"
            (self.root / mask_path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(marked.astype(np.uint8) * 255).save(self.root / mask_path)
        anomaly = np.where(marked & hit, 0.8, 0.1).astype(np.float32)
        self.rows.append(Row(path, "test", int(kind != "good"), kind, mask_path, group or name,
                             SIDE, SIDE, 1, depth, depth, "0" * 64))
        self.predictions[path] = FakePrediction(
            score, 0.5, 0.5, "defect" if score > threshold else "good", threshold, anomaly)
        return self

    def build(self):
        return Split(Manifest.of(self.rows, self.root), self.predictions)


@pytest.fixture
def builder(tmp_path):
    return SplitBuilder(tmp_path / "source")


def nine_images(builder):
    """Four good (one false alarm), three scratches (one missed), two dents without masks."""
    for n, score in enumerate((0.1, 0.2, 0.3, 0.6)):
        builder.add(f"g{n}", "good", score)
    for n, score in enumerate((0.9, 0.8, 0.4)):
        builder.add(f"s{n}", "scratch", score, hit=score > 0.5)
    for n, score in enumerate((0.7, 0.65)):
        builder.add(f"d{n}", "dent", score, mask=False)
    return builder.build()


@pytest.fixture
def split(builder):
    return nine_images(builder)


@pytest.fixture(scope="module")
def shared_split(tmp_path_factory):
    """The same nine images, for tests that only read."""
    return nine_images(SplitBuilder(tmp_path_factory.mktemp("source")))


@pytest.fixture(scope="session")
def settings():
    return Params.model_validate({"evaluate": {"bootstrap": 60}})
