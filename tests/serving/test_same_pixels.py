"""A picture is judged on the same pixels from a folder, over HTTP and in a form."""

from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from picture_formats import CELLS, DEPTHS, of_depth
from served import FakeJudge

from hdm.commands.image_search import search
from hdm.commands.prediction_table import Judging, predict_files
from hdm.detector.regions import RegionRule

SEEN = np.random.default_rng(3).integers(20, 120, (24, 32)).astype(np.uint8)


class Witness(FakeJudge):
    """Remembers what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[np.ndarray] = []

    def predict(self, images, batch_size=16):
        self.shown += images
        return super().predict(images, batch_size)


@pytest.mark.parametrize("depth, name", CELLS)
def test_folder_body_and_form(served, registry, tmp_path, depth, name):
    form = DEPTHS[depth][0][name]
    smooth = np.add.outer(np.arange(24), np.arange(32)).astype(np.uint8) + 40
    pixels = of_depth(smooth if form.tolerance else SEEN, depth)
    file = tmp_path / f"shots/part{form.suffix}"
    file.parent.mkdir()
    form.write(file, pixels)
    client: TestClient = served("plate")
    witness, slot = Witness(), client.service.lines["plate"].slot
    slot.served = replace(slot.served, judge=witness)
    body = client.post("/v1/plate/predict", content=file.read_bytes())
    files = client.post("/v1/plate/predict", files={"files": (file.name, file.read_bytes())})
    assert body.status_code == files.status_code == 200, (body.text, files.text)
    found = search([file.parent])
    judging = Judging(witness, "1", "plate, version 1", RegionRule(0.5), tmp_path / "out")
    predict_files(judging, list(found.files), lambda done, total: None)
    assert len(witness.shown) == 3
    for shown in witness.shown:
        assert shown.dtype == pixels.dtype and shown.shape == pixels.shape
        assert np.abs(shown.astype(int) - pixels).max() <= form.tolerance
