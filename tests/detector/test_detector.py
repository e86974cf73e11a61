"""hdm.HDM as a library: any image, the same answer each time, and clear refusals."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

import hdm
from hdm.dagm.bank import SampleBank
from hdm.dataset.input_format import resize
from hdm.detector.ddm import DDM
from hdm.detector.detector import HDM
from hdm.detector.ensemble import Ensemble
from hdm.errors import DataError, HDMError
from hdm.files import read_json, write_json
from hdm.pom.discrimination.building import HeldOut, build_detector, build_scorer, calibrated


def parts(channels=1, fit="resize", seed=0, height=None, scale=1.0, **over):
    """A module with random weights, and good images that it may know."""
    settings = tiny.ddm_settings(**over)
    network = tiny.randomised(Ensemble(channels, settings), seed, scale=0.1)
    form = tiny.input_format(channels=channels, fit=fit, height=height)
    prior = tiny.prior(replace(form, scale=scale))
    size = (prior.form.height, prior.form.width)
    return DDM(prior, network, settings), resize(tiny.textures(8, channels=channels, seed=2), size)


def build(channels=1, **how):
    ddm, known = parts(channels, **how)
    good = resize(tiny.textures(19, channels=channels), (ddm.form.height, ddm.form.width))
    held = HeldOut(list(good), good, empty(channels), np.empty(0, int))
    return build_detector(ddm, known, held, {"line": "plate"})[0]


def empty(channels=1):
    return SampleBank(torch.zeros(0, channels, 32, 32).half(),
                      torch.zeros(0, 32, 32, dtype=torch.uint8), pd.DataFrame({"base": []}))


def native(*shape, seed=0, dtype=np.uint8):
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, endpoint=True).astype(dtype)


@pytest.fixture(scope="module")
def grey():
    return build()


@pytest.fixture(scope="module")
def asking():
    """A detector in colour that asks the prior at each of two steps."""
    return build(channels=3, prior_level=0.2)


def same(a, b):
    return a.score == b.score and a.p_value == b.p_value and a.decision == b.decision \
        and a.probability == b.probability and np.array_equal(a.anomaly_map, b.anomaly_map)


def test_it_is_the_library_object():
    assert hdm.HDM is HDM


@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (7, 9), (1, 1), (1, 50), (33, 31),
                                   (200, 40), (32, 32, 3), (45, 70, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_any_size_depth_and_colour(shape, dtype, fit, grey):
    detector = grey if fit == "resize" else build(fit="tile")
    (found,) = detector.predict([native(*shape, dtype=dtype)])
    assert found.anomaly_map.shape == shape[:2] and found.anomaly_map.dtype == np.float32
    assert found.anomaly_map.min() >= 0 and found.anomaly_map.max() <= 1
    assert np.isfinite(found.score) and 0 < found.p_value <= 1 and 0 <= found.probability <= 1
    assert found.decision in ("good", "defect") and found.threshold == detector.threshold


@pytest.mark.parametrize("shape", [(90, 150), (150, 40), (3, 5), (1, 1)])
def test_images_that_shrink_before_they_are_tiled(shape):
    detector = build(fit="tile", scale=0.4)
    image = native(*shape)
    (found,) = detector.predict([image])
    assert found.anomaly_map.shape == shape
    small = detector.form.prepare(image)
    assert small.shape == (1, *(max(1, round(0.4 * side)) for side in shape))
    assert found.score == pytest.approx(detector.scorer.inspect([small])[0].scores.item())


@pytest.mark.parametrize(("fit", "mirrored", "alike"), [
    ("tile", None, True), ("tile", False, False), ("resize", None, False), ("resize", True, True)])
def test_mirrored_parts_are_judged_alike_where_places_mean_nothing(fit, mirrored, alike):
    detector = build(fit=fit, mirrored=mirrored, normality=False)
    image = native(32, 32)
    assert detector.scorer.ddm.mirrored == alike
    for flipped in (image[::-1], image[:, ::-1], image[::-1, ::-1]):
        one, two = detector.predict([image, np.ascontiguousarray(flipped)])
        assert (abs(one.score - two.score) < 1e-4) == alike


def test_grey_image_into_a_colour_model(asking):
    image = native(40, 36)
    one, two = asking.predict([image, np.stack([image] * 3, 2)])
    assert one.score == pytest.approx(two.score, abs=1e-5)
    np.testing.assert_allclose(one.anomaly_map, two.anomaly_map, atol=1e-5)


def test_colour_image_into_a_grey_model_is_its_mean(grey):
    image = native(32, 32)
    one, two = grey.predict([image, np.stack([image] * 3, 2)])
    assert one.score == pytest.approx(two.score, abs=1e-4)


def test_bit_depth_does_not_matter(grey):
    image = native(32, 32)
    one, two = grey.predict([image, image.astype(np.uint16) * 257])
    assert one.score == pytest.approx(two.score, abs=1e-4)


@pytest.mark.parametrize("kind", ["grey", "asking"])
def test_two_runs_are_bit_identical(kind, request):
    detector, images = request.getfixturevalue(kind), [native(50, 40, seed=i) for i in range(5)]
    assert all(map(same, detector.predict(images), detector.predict(images)))


@pytest.mark.parametrize("kind", ["grey", "asking"])
def test_prediction_does_not_depend_on_batch_mates(kind, request):
    detector, images = request.getfixturevalue(kind), [native(48, 32, seed=i) for i in range(5)]
    together = detector.predict(images)
    for batch in (1, 2):
        for one, other in zip(together, detector.predict(images, batch_size=batch), strict=True):
            assert one.score == pytest.approx(other.score, rel=1e-6, abs=1e-5)
            np.testing.assert_allclose(one.anomaly_map, other.anomaly_map, atol=1e-5)
    backwards = detector.predict(images[::-1])[::-1]
    assert [a.score for a in backwards] == pytest.approx([a.score for a in together], abs=1e-5)


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_saved_and_loaded_predicts_bit_identically(tmp_path, fit):
    detector = build(channels=3, fit=fit, prior_level=0.3, height=48, members=2)
    detector.save(tmp_path / "detector")
    loaded = HDM.load(tmp_path / "detector", device="cpu", precision="fp32", threads=1)
    images = [native(50, 60, 3), native(20, 90)]
    assert all(map(same, detector.predict(images), loaded.predict(images)))
    assert loaded.info == detector.info and loaded.threshold == detector.threshold
    assert loaded.calibration == detector.calibration and loaded.settings == detector.settings
    assert sorted(p.relative_to(tmp_path / "detector").as_posix()
                  for p in (tmp_path / "detector").rglob("*") if p.is_file()) == [
        "detector.json", "detector.safetensors", "normality.safetensors", "operating_point.json",
        "prior/prior.json", "prior/prior.safetensors"]


def test_score_p_value_decision_and_threshold_agree(grey):
    images = [native(32, 32, seed=i) // (1 + i % 4) for i in range(40)]
    for found in grey.predict(images):
        assert found.p_value == grey.calibration.p_value(found.score)
        assert (found.decision == "defect") == (found.score > grey.threshold)
        assert (found.decision == "defect") == (found.p_value <= 0.05 + 1e-9)
    assert grey.operating_point.false_alarm_rate == 0.05 and grey.operating_point.certified


def test_calibration_normals_are_called_good(grey):
    """19 normals at 5 %: the threshold is the largest of them, so none is above it."""
    scores = grey.calibration.normal_scores
    assert len(scores) == 19 and grey.threshold == max(scores)


def test_calibrating_with_synthetic_defects_reports_what_was_found(grey):
    good = tiny.textures(10)
    bank = SampleBank(good.half(), torch.zeros(10, 32, 32, dtype=torch.uint8),
                      pd.DataFrame({"base": range(10)}))
    bank.masks[:, 4:20, 4:20] = 1
    bank.masks[:, 3, 3:21] = 2
    scorer = build_scorer(*parts())
    calibration, figures = calibrated(scorer, HeldOut(list(good), good, bank, np.arange(10)))
    # A bank of the good images themselves (but for float16): chance.
    assert figures["synthetic_image_auroc"] == pytest.approx(0.5, abs=0.1)
    assert 0 <= figures["synthetic_pixel_auroc"] <= 1
    assert calibration.image != (1.0, 0.0)
    assert calibrated(scorer, HeldOut(list(good), good, bank, np.empty(0, int)))[1] == {
        "synthetic_image_auroc": None, "synthetic_pixel_auroc": None}


def test_threshold_of_tiled_images_is_that_of_whole_ones():
    """Of many tiles one seems odd more often than a single one: whole images count."""
    ddm, known = parts(fit="tile")
    images = [native(80, 70, seed=seed) for seed in range(25)]
    prepared = [ddm.form.prepare(image) for image in images]
    held = HeldOut(prepared, torch.stack([p[:, :32, :32] for p in prepared]), empty(),
                np.empty(0, int))
    detector, _ = build_detector(ddm, known, held, {})
    scores = [found.score for found in detector.predict(images)]
    assert detector.calibration.normal_scores == pytest.approx(sorted(scores), rel=1e-4)


def test_progress_and_empty_list(grey):
    seen = []
    grey.predict([native(8, 8)] * 5, batch_size=2, progress=lambda *e: seen.append(e))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert grey.predict([]) == []


@pytest.mark.parametrize("image", [
    np.zeros((8, 8), np.float32), np.zeros((8, 8), bool), np.zeros((8, 8), np.int64),
    np.zeros((8, 8, 4), np.uint8), np.zeros((8,), np.uint8), np.zeros((2, 8, 8, 3), np.uint8),
    np.zeros((0, 8), np.uint8), [[1, 2], [3, 4]], "image.png", None])
@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_anything_but_an_image_is_refused_in_one_sentence(grey, image, fit):
    detector = grey if fit == "resize" else build(fit="tile")
    with pytest.raises(DataError, match=r"expected an image of shape \(H, W\).*received") as error:
        detector.predict([native(8, 8), image])
    assert "\n" not in str(error.value)


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
    "no weights": lambda f: (f / "detector.safetensors").unlink(),
    "truncated weights": lambda f: (f / "detector.safetensors").write_bytes(
        (f / "detector.safetensors").read_bytes()[:1000]),
    "empty weights": lambda f: (f / "detector.safetensors").write_bytes(b""),
    "corrupt weights": lambda f: (f / "detector.safetensors").write_bytes(b"\x00" * 5000),
    "weights of the prior": lambda f: (f / "detector.safetensors").write_bytes(
        (f / "prior" / "prior.safetensors").read_bytes()),
    "no prior": lambda f: (f / "prior" / "prior.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_folder_is_one_sentence(tmp_path, damage, grey):
    folder = tmp_path / "detector"
    if damage != "no folder":
        grey.save(folder)
        DAMAGE[damage](folder)
    with pytest.raises(HDMError) as error:
        HDM.load(folder, device="cpu", threads=1)
    assert "\n" not in str(error.value) and str(folder) in str(error.value)
