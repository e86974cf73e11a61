"""hdm.HDM as a library: any image, the same answer each time, and clear refusals."""

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from small_detector import native

import hdm
from hdm.dagm.bank import SampleBank
from hdm.dataset.input_format import resize
from hdm.detector.ddm import DDM
from hdm.detector.detector import HDM
from hdm.errors import DataError
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import HeldOut, build_detector


def parts(channels=1, fit="resize", height=None, scale=1.0, detail=2.0, **over):
    """A module with random weights, and good images that it may know."""
    form = tiny.input_format(channels=channels, fit=fit, height=height, scale=scale, detail=detail)
    ddm = tiny.ddm(form, **over)
    known = resize(tiny.textures(8, channels=channels, seed=2), (form.height, form.width))
    if ddm.prior is not None:
        ddm = DDM(form, tiny.whitened(ddm.prior, form.for_encoder(known)), ddm.network,
                  ddm.settings, ddm.backend)
    return ddm, known


def build(channels=1, **how):
    ddm, known = parts(channels, **how)
    size = ddm.form.height, ddm.form.width
    # Six of them join, nineteen set the threshold.
    good = tiny.textures(25, channels=channels, size=96)
    prepared = resize(good, ddm.form.prepared_size)
    held = HeldOut(list(prepared).__getitem__, len(prepared), resize(good, size),
                   empty(channels), np.empty(0, int), 8)
    return build_detector(ddm, known, Benign(), held, {"line": "plate"})[0]


def empty(channels=1):
    return SampleBank(torch.zeros(0, channels, 32, 32).half(),
                      torch.zeros(0, 32, 32, dtype=torch.uint8), pd.DataFrame({"base": []}))


@pytest.fixture(scope="module")
def grey():
    return build()


@pytest.fixture(scope="module")
def colour():
    return build(channels=3)


@pytest.fixture(scope="module")
def tiled():
    return build(fit="tile")


@pytest.fixture(scope="module")
def alone():
    """Discriminators without a backbone."""
    return build(backbone=False, detail=1.0)


def same(a, b):
    return a.score == b.score and a.p_value == b.p_value and a.decision == b.decision \
        and a.probability == b.probability and np.array_equal(a.anomaly_map, b.anomaly_map)


def test_it_is_the_library_object():
    assert hdm.HDM is HDM


@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (7, 9), (1, 1), (1, 50), (33, 31),
                                   (200, 40), (32, 32, 3), (45, 70, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["grey", "tiled", "alone"])
def test_any_size_depth_and_colour(shape, dtype, kind, request):
    detector = request.getfixturevalue(kind)
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
    assert small.shape == (1, *(max(1, round(2 * 0.4 * side)) for side in shape)), "detail 2"
    assert found.score == pytest.approx(detector.scorer.inspect([small])[0].evidence.scores.item())


@pytest.mark.parametrize(("fit", "mirrored", "alike"), [
    ("tile", None, True), ("tile", False, False), ("resize", None, False), ("resize", True, True)])
def test_mirrored_parts_are_judged_alike_where_places_mean_nothing(fit, mirrored, alike):
    detector = build(fit=fit, mirrored=mirrored, normality=False, backbone=False)
    image = native(32, 32)
    assert detector.scorer.ddm.mirrored == alike
    for flipped in (image[::-1], image[:, ::-1], image[::-1, ::-1]):
        one, two = detector.predict([image, np.ascontiguousarray(flipped)])
        assert (abs(one.score - two.score) < 1e-4) == alike


def test_grey_image_into_a_colour_model(colour):
    image = native(40, 36)
    one, two = colour.predict([image, np.stack([image] * 3, 2)])
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


@pytest.mark.parametrize("kind", ["grey", "colour", "tiled", "alone"])
def test_two_runs_are_bit_identical(kind, request):
    detector, images = request.getfixturevalue(kind), [native(50, 40, seed=i) for i in range(5)]
    assert all(map(same, detector.predict(images), detector.predict(images)))


@pytest.mark.parametrize("kind", ["grey", "colour", "tiled", "alone"])
def test_prediction_does_not_depend_on_batch_mates(kind, request):
    detector, images = request.getfixturevalue(kind), [native(48, 32, seed=i) for i in range(5)]
    together = detector.predict(images)
    for batch in (1, 2):
        for one, other in zip(together, detector.predict(images, batch_size=batch), strict=True):
            assert one.score == pytest.approx(other.score, rel=1e-6, abs=1e-5)
            np.testing.assert_allclose(one.anomaly_map, other.anomaly_map, atol=1e-5)
    backwards = detector.predict(images[::-1])[::-1]
    assert [a.score for a in backwards] == pytest.approx([a.score for a in together], abs=1e-5)


def test_the_diffusion_has_a_say_and_so_have_the_discriminators(grey):
    """Whichever of the two finds an image odder, its score rises."""
    scorer, image = grey.scorer, [native(48, 48)]
    before = grey.predict(image)[0].score
    for name in ("of_latents", "taught"):
        plain = getattr(scorer.ddm, name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scorer.ddm, name, lambda images, plain=plain: plain(images) + 1)
            assert grey.predict(image)[0].score > before, name


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


def test_threshold_of_tiled_images_is_that_of_whole_ones():
    """Of many tiles one seems odd more often than a single one: whole images count."""
    ddm, known = parts(fit="tile")
    images = [native(80, 70, seed=seed) for seed in range(25)]
    prepared = [ddm.form.prepare(image) for image in images]
    held = HeldOut(prepared.__getitem__, len(prepared),
                   torch.stack([p[:, :32, :32] for p in prepared]), empty(), np.empty(0, int), 8)
    detector, _ = build_detector(ddm, known, Benign(), held, {})
    scores = [found.score for number, found in enumerate(detector.predict(images))
              if number in held.calibrates]
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
@pytest.mark.parametrize("kind", ["grey", "tiled"])
def test_anything_but_an_image_is_refused_in_one_sentence(image, kind, request):
    detector = request.getfixturevalue(kind)
    with pytest.raises(DataError, match=r"expected an image of shape \(H, W\).*received") as error:
        detector.predict([native(8, 8), image])
    assert "\n" not in str(error.value)
