"""What lies in ignored places has no part in training: two lines that differ there alone get the
same detector, to the last bit."""

import json

import numpy as np
import pytest
from PIL import Image
from trained import digests, make_line, run_all

from hdm.dataset.line_region import region_of
from hdm.dataset.region_file import read_region, write_region
from hdm.detector.detector import HDM
from hdm.stages.runner import run_stage

CORNERS = [[0.1, 0.1], [0.6, 0.1], [0.6, 0.5], [0.1, 0.5]]


def trained(folder, paint: bool, over: dict, region: dict):
    line = make_line(folder, {**over})
    write_region(line.region_file, region_of(region, "plate"))
    run_stage("configure", "plate", line.project)
    if paint:
        for number, file in enumerate(sorted((line.source / "good").glob("*.png"))):
            pixels = np.array(Image.open(file))
            noise = np.random.default_rng(number).integers(0, 255, pixels.shape).astype(np.uint8)
            pixels[8:30, 8:37] = noise[8:30, 8:37]
            Image.fromarray(pixels).save(file)
    run_all(line)
    return line


@pytest.mark.parametrize("over", [
    {}, {"image": {"size": 32, "fit": "tile"}}, {"dagm_fit": {"backbone": "none"}}])
def test_training_does_not_depend_on_what_is_there(tmp_path, over, monkeypatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    region = {"ignore": [{"corners": CORNERS}]}
    one, two = (trained(tmp_path / str(paint), paint, over, region) for paint in (False, True))
    assert digests(one) == digests(two)
    detector = HDM.load(one.detector_folder, device="cpu", threads=1)
    assert detector.form.ignore_mask.share == pytest.approx(0.2, abs=0.06)
    assert json.loads((one.stage_folder("dagm_fit") / "input.json").read_text())["ignored"]
    assert read_region(one.region_file)
