"""What stages and `hdm predict` do to pictures is the same here and on workers, bit for bit."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_detector import plates, small_detector

from hdm.backbone.encoder import Encoder
from hdm.cluster.spreading import HERE
from hdm.commands import prediction_table
from hdm.commands.prediction_table import Judging, Overlays
from hdm.dagm.encoding import Views, spread_encoded
from hdm.dagm.latent_vectors import gathered
from hdm.dataset.images import pixel_hash, read_image
from hdm.dataset.manifest import Manifest, Row
from hdm.evaluation.predicting import predictions
from hdm.evaluation.sent_detector import SentDetector
from hdm.model_settings import Benign, Compute
from hdm.validation.statistics import measure


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """Good pictures on the disk, and a detector in a folder."""
    root = tmp_path_factory.mktemp("line")
    rows = []
    for number, picture in enumerate(plates(40)):
        Image.fromarray(picture).save(root / f"{number:03d}.png")
        rows.append(Row(f"{number:03d}.png", "train", 0, "good", None, str(number), 96, 96, 1, 8, 8,
                        pixel_hash(read_image(root / f"{number:03d}.png"))))
    detector = small_detector(decidable=True)
    detector.save(root / "detector")
    return Manifest.of(rows, root), detector


def sent(line):
    manifest, detector = line
    return SentDetector.of(manifest.root / "detector", Compute(), detector.operating_point)


def test_statistics(line, cluster):
    assert measure(line[0]).equals(measure(line[0], cluster=cluster))


def test_encoding(line, cluster):
    manifest, detector = line
    found = []
    for where in (HERE, cluster):
        views = Views(manifest, detector.form, 2, Benign(), 3)
        images = spread_encoded(views, Encoder.published(torch.device("cpu")), Compute(), where)
        space, vectors = gathered(images, len(manifest), 8, seed=3)
        found.append((space.mean, space.whitening, vectors.latents, vectors.places))
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_predictions(line, cluster, threads):
    manifest, detector = line
    here = list(predictions(detector, manifest, threads=threads))
    there = list(predictions(sent(line), manifest, cluster=cluster))
    assert len(here) == len(there) == 40
    for one, other in zip(here, there, strict=True):
        assert (one.score, one.p_value, one.decision, one.reasons, one.appearance) == (
            other.score, other.p_value, other.decision, other.reasons, other.appearance)
        assert np.array_equal(one.anomaly_map, other.anomaly_map)


def test_batch_prediction(line, cluster, tmp_path, monkeypatch):
    manifest, detector = line
    monkeypatch.chdir(manifest.root)
    (manifest.root / "bad.png").write_bytes(b"no picture")
    files = [manifest.image_file(row).relative_to(manifest.root) for row in manifest]
    files.insert(5, Path("bad.png"))
    seen = {}
    for where, judge in ((HERE, detector), (cluster, sent(line))):
        folder, log = tmp_path / str(len(seen)), Log()
        rows = prediction_table.predict_files(
            Judging(judge, "3", "plate, version 3", detector.region_rule, folder, Overlays.ALL),
            files, lambda *_: None, log, where)
        prediction_table.write_tables(rows, folder)
        assert rows[5].error.startswith("bad.png: expected a PNG") and len(rows) == 41
        seen[where] = log.lines, {os.path.relpath(file, folder): file.read_bytes()
                                  for file in folder.rglob("*.*")}
    assert seen[HERE] == seen[cluster] and len(seen[HERE][1]) == 83


class Log:
    """A recorder that keeps what it is told."""

    def __init__(self):
        self.lines = []

    def judged(self, file, image, found):
        self.lines.append((str(file), image.tobytes(), found.score))

    def failed(self, file, error):
        self.lines.append((str(file), str(error)))
