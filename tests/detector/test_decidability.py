"""What cannot be judged is undecidable, with the reason; good parts and defects are not."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from scipy import ndimage
from small_detector import plates, small_detector

from hdm.detector.decidability import FAR, FIGURES, Limits, clipped, clipped_share
from hdm.detector.detector import HDM, decided

GOOD = plates(12, seed=9)
COLOUR = [np.repeat(image[..., None], 3, 2) for image in GOOD]


@pytest.fixture(scope="module")
def detector() -> HDM:
    return small_detector(decidable=True)


def codes(detector: HDM, image: np.ndarray) -> set[str]:
    """Of a picture that the score does not call a defect."""
    seen, = detector.scorer.inspect([detector.form.prepare(image)])
    doubts = detector.doubts(image, seen, called=False)
    for doubt in doubts:
        assert doubt.sentence.startswith("The picture") and "usual" in doubt.sentence
    return {doubt.code for doubt in doubts}


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(image.astype(float), sigma).astype(np.uint8)


def noisy(image: np.ndarray, spread: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, spread, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("images", [GOOD, COLOUR, [image.astype(np.uint16) * 257 for image in GOOD],
                                    [image[:90, 2:] for image in GOOD]])
def test_good_parts_are_decidable(detector, images) -> None:
    assert not any(codes(detector, image) for image in images)


@pytest.mark.parametrize(("name", "image"), [
    ("no_contrast", np.zeros((96, 96), np.uint8)),
    ("no_contrast", np.full((96, 96), 255, np.uint8)),
    ("no_contrast", np.full((96, 96, 3), 128, np.uint8)),
    ("no_contrast", np.full((96, 96), 30_000, np.uint16)),
    ("no_contrast", (GOOD[0] // 40 + 90).astype(np.uint8)),
    ("too_dark", GOOD[0] // 8), ("too_dark", GOOD[1] // 16),
    ("too_dark", np.zeros((96, 96), np.uint8)),
    ("too_bright", (GOOD[0] // 8 + 220).astype(np.uint8)),
    ("too_bright", np.full((96, 96), 255, np.uint8)),
    ("too_bright", np.clip(GOOD[2] * 2.5, 0, 255).astype(np.uint8)),
    ("clipped", np.clip((GOOD[0] - 95.0) * 9 + 95, 0, 255).astype(np.uint8)),
    ("clipped", np.where(GOOD[1] > 95, 255, 0).astype(np.uint8)),
    ("clipped", np.clip(GOOD[2] * 3.0, 0, 255).astype(np.uint8)),
    ("out_of_focus", blurred(GOOD[0], 2.0)), ("out_of_focus", blurred(COLOUR[1][..., 0], 3.0)),
    ("out_of_focus", blurred(GOOD[2], 2.5)),
    ("too_noisy", noisy(GOOD[0], 60)), ("too_noisy", noisy(GOOD[1], 80)),
    ("too_noisy", noisy(GOOD[2], 100)),
    ("too_small", GOOD[0][:1, :1]), ("too_small", GOOD[0][:12, :14]),
    ("too_small", np.full((10, 10_000), 128, np.uint8)),
    ("odd_shape", GOOD[0][:40]), ("odd_shape", GOOD[1][:, :50]),
    ("odd_shape", np.full((10_000, 10), 128, np.uint8)),
])
def test_what_is_wrong_is_named(detector, name, image) -> None:
    assert name in codes(detector, np.ascontiguousarray(image))


@pytest.mark.parametrize("side", [8, 24])
def test_another_part_in_the_same_light_is_foreign(detector, side) -> None:
    """Stripes, or a board of squares, with the plates' two tones and grain."""
    y, x = np.mgrid[:96, :96] // side
    grain = ndimage.gaussian_filter(np.random.default_rng(3).standard_normal((96, 96)), 0.7) * 14
    light = (x + (y if side == 24 else 0)) % 2
    assert codes(detector, (60 + 70 * light + grain).clip(1, 254).astype(np.uint8)) == {"foreign"}


def test_a_turned_part_is_undecidable_where_latents_are_small() -> None:
    """Of trained ones, which have unit variance, the figure knows no direction."""
    assert codes(small_detector(decidable=True, small=True),
                 np.ascontiguousarray(GOOD[0][:, ::-1].T))


@pytest.mark.parametrize("image", [
    (128 + 60 * tiny.textures(1, 96)[0, 0]).byte().numpy(),
    np.concatenate([GOOD[2][:, :40], GOOD[2][:, 40:41].repeat(56, 1)], 1)])
def test_a_foreign_picture_is_undecidable(detector, image) -> None:
    assert codes(detector, np.ascontiguousarray(image))


@pytest.mark.parametrize("image", [GOOD[0], np.zeros((96, 96), np.uint8), GOOD[1][:1, :1],
                                   blurred(GOOD[2], 3), GOOD[3][:, :30]])
def test_an_undecidable_picture_has_a_score_and_a_map_and_is_never_good(detector, image) -> None:
    found, = detector.predict([np.ascontiguousarray(image)])
    assert (found.decision == "undecidable") == bool(found.reasons)
    assert math.isfinite(found.score) and found.anomaly_map.shape == image.shape[:2]
    assert found.decision != "good" or image is GOOD[0]


def test_a_small_defect_is_left_to_the_score(detector) -> None:
    for size, value in ((8, 250), (10, 0), (14, 128)):
        image = GOOD[3].copy()
        image[40:40 + size, 30:30 + size] = value
        assert not codes(detector, image)


LIMITS = Limits(centre=(5.0, 0.0, 0.5, -1.0, -0.5, -4.5, 0.0),
                low=(3.0, -0.3, 0.3, -2.0, -1.0, None, None),
                high=(None, 0.3, 0.7, 0.0, 0.5, -3.0, 1.0), rate=0.01, certified=False, parts=30)


@pytest.mark.parametrize(("name", "value", "code"), [
    ("brightness", 0.25, "too_dark"), ("brightness", 0.75, "too_bright"),
    ("contrast", -2.5, "no_contrast"), ("focus", -1.5, "out_of_focus"), ("focus", 0.8, "too_noisy"),
    ("clipped", -2.0, "clipped"), ("distance", 1.5, "foreign")])
def test_what_the_score_calls_a_defect_stays_one_unless_it_is_far_off(name, value, code) -> None:
    place = FIGURES.index(name)
    figures = list(LIMITS.centre)
    figures[place] = value
    assert [doubt.code for doubt in LIMITS.doubts(figures, called=False)] == [code]
    assert LIMITS.doubts(figures, called=True) == ()
    figures[place] += (1.01 * FAR - 1) * (value - LIMITS.centre[place])
    assert [doubt.code for doubt in LIMITS.doubts(figures, called=True)] == [code]


@pytest.mark.parametrize(("name", "value", "code"), [
    ("side", 2.9, "too_small"), ("aspect", 0.35, "odd_shape"), ("aspect", -0.35, "odd_shape")])
def test_of_a_picture_of_the_wrong_size_no_score_means_anything(name, value, code) -> None:
    figures = list(LIMITS.centre)
    figures[FIGURES.index(name)] = value
    assert [doubt.code for doubt in LIMITS.doubts(figures, called=True)] == [code]


def test_limits_without_an_end_and_the_limit_itself_are_no_doubt() -> None:
    for name, value in (("side", 50.0), ("clipped", -90.0), ("distance", -90.0)):
        figures = list(LIMITS.centre)
        figures[FIGURES.index(name)] = value
        assert not LIMITS.doubts(figures, called=False)
    at_limits = [5.0 if value is None else value for value in LIMITS.high]
    assert not LIMITS.doubts(at_limits, called=False)


def test_what_is_known_to_be_wrong_explains_why_it_looks_foreign() -> None:
    figures = [*LIMITS.centre[:2], 0.1, -9.0, 9.0, -1.0, 30.0]
    assert [doubt.code for doubt in LIMITS.doubts(figures, called=False)] == \
        ["too_dark", "no_contrast", "clipped"]


@pytest.mark.parametrize("change", [{"rate": 0.05}, {"certified": True}, {"parts": 99}])
def test_limits_are_plain_values(change) -> None:
    limits = replace(LIMITS, **change)
    assert Limits.from_dict(json.loads(json.dumps(limits.as_dict()))) == limits
    assert limits.smallest_rate == 1 / (limits.parts + 1)


@pytest.mark.parametrize("broken", [{}, {**LIMITS.as_dict(), "low": [1.0]},
                                    {**LIMITS.as_dict(), "more": 1}])
def test_other_values_are_no_limits(broken) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Limits.from_dict(broken)


def test_pixels_at_the_end_are_counted_whatever_the_depth() -> None:
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    for bits in (image, image.astype(np.uint16) * 16, image + np.uint8(100)):
        assert clipped(bits) == pytest.approx(np.log(0.02 + 0.01))
    assert clipped(np.zeros((4, 4), np.uint8)) == pytest.approx(np.log(1.01))


@pytest.mark.parametrize("shape", [(10, 12), (10, 12, 3), (30, 7)])
@pytest.mark.parametrize("covered", [0.0, 0.3, 1.0])
def test_of_ignored_pixels_none_is_at_the_end(shape, covered) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(60, 66, shape).astype(np.uint8)
    hidden = rng.random(shape[:2]) < covered
    usual = clipped(image[~hidden]) if not hidden.all() else np.log(0.01)
    for value in (0, 62, 255):
        image[hidden] = value
        assert clipped(image, hidden) == pytest.approx(usual)
        told = clipped_share(torch.from_numpy(image.reshape(1, *shape[:2], -1)),
                             torch.from_numpy(hidden))
        assert told.item() == pytest.approx(usual, abs=1e-5)


@pytest.mark.parametrize(("called", "reasons", "decision"), [
    (False, (), "good"), (True, (), "defect"), (False, ("x",), "undecidable"),
    (True, ("x",), "undecidable")])
def test_a_doubt_overrides(called, reasons, decision) -> None:
    assert decided(called, reasons) == decision


def test_a_saved_detector_doubts_the_same_and_an_older_one_nothing(detector, tmp_path) -> None:
    detector.save(tmp_path / "new")
    loaded = HDM.load(tmp_path / "new", device="cpu", threads=1)
    pictures = [GOOD[0], GOOD[0] // 8, blurred(GOOD[1], 3), GOOD[2].T.copy()]
    assert [p.reasons for p in loaded.predict(pictures)] == \
        [p.reasons for p in detector.predict(pictures)]
    content = json.loads((tmp_path / "new" / "detector.json").read_text())
    del content["decidability"]
    (tmp_path / "new" / "detector.json").write_text(json.dumps(content))
    older = HDM.load(tmp_path / "new", device="cpu", threads=1)
    assert {p.decision for p in older.predict(pictures)} <= {"good", "defect"}
