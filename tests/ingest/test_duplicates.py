"""Copies are found; other parts, other exposures and blank images are not copies."""

import io
import time

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, shift

from hdm.dataset.images import decode_image
from hdm.ingest.duplicates import exact_duplicates, near_duplicates
from hdm.ingest.thumbnails import SIDE, thumbnail


def shots(number, seed=0, texture=6.0, noise=1.5, gain=0.03, jitter=1.0):
    """Photographs of different parts in one fixture: same shape, own texture, light and pose."""
    rng = np.random.default_rng(seed)
    part = gaussian_filter(rng.normal(size=(150, 190)), 3) * 300 + 120
    part[40:110, 50:140] += 40
    for _ in range(number):
        own = gaussian_filter(rng.normal(size=part.shape), 2) * texture * 4
        moved = shift(part + own, rng.uniform(-jitter, jitter, 2), order=1, mode="nearest")
        lit = moved[4:-4, 4:-4] * rng.uniform(1 - gain, 1 + gain)
        yield np.clip(lit + rng.normal(0, noise, lit.shape), 0, 255).astype(np.uint8)


def jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return decode_image(buffer.getvalue(), "x")


def resized(image, factor):
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


COPIES = {
    "jpeg 95": lambda image: jpeg(image, 95), "jpeg 75": lambda image: jpeg(image, 75),
    "grey as rgb": lambda image: np.repeat(image[..., None], 3, axis=2),
    "16 bit": lambda image: image.astype(np.uint16) * 257,
    "97 %": lambda image: resized(image, 0.97), "80 %": lambda image: resized(image, 0.8),
    "110 %": lambda image: resized(image, 1.1),
    "90 % jpeg": lambda image: jpeg(resized(image, 0.9), 75),
}


def found(fit, test):
    images = [*fit, *test]
    side = np.arange(len(images)) < len(fit)
    pairs = near_duplicates(np.stack([thumbnail(image) for image in images]),
                            np.array([image.shape[1] / image.shape[0] for image in images]),
                            side, ~side)
    return [(pair.first, pair.second - len(fit)) for pair in pairs]


@pytest.fixture(scope="module")
def parts():
    return list(shots(120))


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_and_only_they(parts, kind):
    fit, test = parts[:80], parts[80:]
    copies = [COPIES[kind](fit[i]) for i in (3, 50)]
    assert sorted(found(fit, [*test, *copies])) == [(3, 40), (50, 41)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number", [4, 12, 20, 60, 120])
@pytest.mark.parametrize("texture", [0.0, 6.0], ids=["identical parts", "own texture"])
def test_other_parts_in_the_same_fixture_are_not_copies(number, seed, texture):
    images = list(shots(number, seed, texture))
    assert found(images[: number * 2 // 3], images[number * 2 // 3:]) == []


def test_other_exposures_of_a_part_are_not_copies(parts):
    fit = parts[:80]
    brighter = [np.clip(fit[i] * 1.15, 0, 255).astype(np.uint8) for i in range(0, 80, 8)]
    assert found(fit, [*parts[80:], *brighter]) == []


def test_another_aspect_is_not_a_copy(parts):
    image = Image.fromarray(parts[5])
    squeezed = np.asarray(image.resize((image.width, round(image.height * 0.8))))
    assert found(parts[:80], [*parts[80:], squeezed]) == []


def test_blank_and_nearly_blank_images_are_not_copies(parts):
    white = np.full_like(parts[0], 255)
    speck = white.copy()
    speck[70:74, 9:13] = 230
    assert found([*parts[:40], white], [*parts[40:80], white, speck]) == []
    assert found([white] * 5, [white] * 3) == []


def test_a_test_set_that_is_all_copies_is_found(parts):
    copies = [jpeg(image, 90) for image in parts[:40]]
    assert sorted(found(parts[:80], copies)) == [(i, i) for i in range(40)]


def test_an_empty_side_has_no_copies(parts):
    assert found(parts[:3], []) == [] and found([], parts[:3]) == []


def test_best_match_comes_first(parts):
    pairs = found(parts[:80], [*parts[80:], jpeg(parts[7], 60), jpeg(parts[9], 95)])
    assert pairs == [(9, 41), (7, 40)]


def test_thumbnail_is_luminance_over_the_whole_range():
    assert thumbnail(np.full((10, 300), 255, np.uint8)).max() == 65535
    colour = np.zeros((90, 90, 3), np.uint8)
    colour[..., 1] = 255
    small = thumbnail(colour)
    assert small.shape == (SIDE, SIDE) and small.dtype == np.uint16
    assert np.abs(small.astype(int) - 21845).max() <= 1


def test_exact_duplicates_across_sides_alone():
    assert exact_duplicates(list("abcab"), ["t", "t", "t", "e", "t"]) == [(0, 3)]
    assert exact_duplicates(list("aa"), ["t", "t"]) == []
    assert exact_duplicates(list("aaaa"), ["t", "e", "t", "e"]) == [(0, 1), (0, 3)]


def test_1500_images_take_seconds():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 65536, (1500, SIDE, SIDE), dtype=np.uint16)
    side = np.arange(1500) < 900
    start = time.monotonic()
    assert near_duplicates(images, np.ones(1500), side, ~side) == []
    assert time.monotonic() - start < 20  # about one second on two quiet cores
