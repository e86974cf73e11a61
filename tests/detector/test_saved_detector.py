"""Detectors on disk: the same answers bit for bit, and damage that is told in one sentence."""

import json
import shutil

import numpy as np
import pytest
from small_detector import native, small_detector

from hdm.detector.detector import HDM
from hdm.errors import HDMError
from hdm.files import read_json, write_json


@pytest.fixture(scope="module")
def whole():
    return small_detector()


def same(a, b):
    return a.score == b.score and a.p_value == b.p_value and a.decision == b.decision \
        and a.probability == b.probability and np.array_equal(a.anomaly_map, b.anomaly_map)


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_saved_and_loaded_predicts_bit_identically(tmp_path, fit):
    detector = small_detector(channels=3, fit=fit, members=2)
    detector.save(tmp_path / "detector")
    loaded = HDM.load(tmp_path / "detector", device="cpu", precision="fp32", threads=1)
    images = [native(50, 60, 3), native(20, 90)]
    assert all(map(same, detector.predict(images), loaded.predict(images)))
    assert loaded.info == detector.info and loaded.threshold == detector.threshold
    assert loaded.calibration == detector.calibration and loaded.settings == detector.settings
    assert sorted(p.relative_to(tmp_path / "detector").as_posix()
                  for p in (tmp_path / "detector").rglob("*") if p.is_file()) == [
        "detector.json", "discriminator.safetensors", "evidence.safetensors",
        "operating_point.json", "prior/backbone.safetensors", "prior/prior.json",
        "prior/prior.safetensors"]


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_what_people_confirmed_is_kept(tmp_path, fit):
    told = small_detector(fit=fit, told=True)
    told.save(tmp_path)
    image = [native(50, 60)]
    loaded = HDM.load(tmp_path, device="cpu", precision="fp32", threads=1)
    assert all(map(same, told.predict(image), loaded.predict(image)))
    assert told.predict(image)[0].score != small_detector(fit=fit).predict(image)[0].score
    (tmp_path / "told.safetensors").unlink()
    with pytest.raises(HDMError, match=r"joins 4 kinds of evidence"):
        HDM.load(tmp_path, device="cpu", precision="fp32", threads=1)


def test_without_a_backbone_nothing_of_it_is_written_or_needed(tmp_path):
    alone = small_detector(backbone=False)
    alone.save(tmp_path)
    assert not (tmp_path / "prior").exists()
    loaded = HDM.load(tmp_path, device="cpu", precision="fp32", threads=1)
    image = [native(50, 60)]
    assert all(map(same, alone.predict(image), loaded.predict(image)))


DAMAGE = {
    "no folder": lambda f: None,
    "no description": lambda f: (f / "detector.json").unlink(),
    "description is not JSON": lambda f: (f / "detector.json").write_text("{"),
    "description is binary": lambda f: (f / "detector.json").write_bytes(b"\xff\xfe\x00"),
    "description is a list": lambda f: (f / "detector.json").write_text("[]"),
    "description lacks a key": lambda f: (f / "detector.json").write_text('{"settings": {}}'),
    "unknown setting": lambda f: (f / "detector.json").write_text(
        json.dumps({"settings": {"magic": 1}, "calibration": None, "info": {}})),
    "not calibrated": lambda f: write_json(
        f / "detector.json", read_json(f / "detector.json") | {"calibration": None}),
    "no operating point": lambda f: (f / "operating_point.json").unlink(),
    "no weights": lambda f: (f / "discriminator.safetensors").unlink(),
    "truncated weights": lambda f: (f / "discriminator.safetensors").write_bytes(
        (f / "discriminator.safetensors").read_bytes()[:1000]),
    "empty weights": lambda f: (f / "discriminator.safetensors").write_bytes(b""),
    "corrupt weights": lambda f: (f / "discriminator.safetensors").write_bytes(b"\x00" * 5000),
    "weights of the prior": lambda f: (f / "discriminator.safetensors").write_bytes(
        (f / "prior" / "prior.safetensors").read_bytes()),
    "no description of the prior": lambda f: (f / "prior" / "prior.json").unlink(),
    "no backbone": lambda f: (f / "prior" / "backbone.safetensors").unlink(),
    "no prior": lambda f: shutil.rmtree(f / "prior"),
    "no evidence": lambda f: (f / "evidence.safetensors").unlink(),
    "truncated evidence": lambda f: (f / "evidence.safetensors").write_bytes(
        (f / "evidence.safetensors").read_bytes()[:-100]),
    "weights for evidence": lambda f: (f / "evidence.safetensors").write_bytes(
        (f / "discriminator.safetensors").read_bytes()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_folder_is_one_sentence(tmp_path, damage, whole):
    folder = tmp_path / "detector"
    if damage != "no folder":
        whole.save(folder)
        DAMAGE[damage](folder)
    with pytest.raises(HDMError) as error:
        HDM.load(folder, device="cpu", threads=1)
    assert "\n" not in str(error.value) and str(folder) in str(error.value)
