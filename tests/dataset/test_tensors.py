"""From images on disk: canvas, channels, value range and detail of a line, and its tensors."""

import numpy as np
import pytest
import tiny
import torch

from hdm.dataset.input_format import resize
from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.tensors import load_normals, load_prepared, load_whole, measure_format
from hdm.errors import DataError
from hdm.model_settings import Image


def manifest(folder, images):
    rows = []
    for index, image in enumerate(images):
        name = f"{index:02}.png"
        tiny.write_png(folder / name, image)
        rows.append(Row(name, "train", 0, "good", None, name, image.shape[1], image.shape[0],
                        3 if image.ndim == 3 else 1, 8 * image.dtype.itemsize,
                        8 * image.dtype.itemsize, f"{index:064}"))
    return Manifest.of(rows, folder)


def noise(*shape, seed=0, low=50, high=200):
    return np.random.default_rng(seed).integers(low, high, shape, endpoint=True).astype(np.uint8)


@pytest.mark.parametrize(("shape", "size", "canvas"), [
    ((100, 100), 128, (128, 128)), ((100, 200), 128, (96, 176)), ((200, 100), 64, (96, 48)),
    ((64, 64), 32, (32, 32)), ((40, 400), 64, (32, 208))])
def test_canvas_keeps_area_and_aspect_in_multiples_of_16(tmp_path, shape, size, canvas):
    form = measure_format(manifest(tmp_path, [noise(*shape)] * 2), Image(size=size))
    assert (form.height, form.width) == canvas
    assert form.height % 16 == form.width % 16 == 0


def test_tiles_are_square_whatever_the_aspect(tmp_path):
    form = measure_format(manifest(tmp_path, [noise(40, 200)]), Image(size=64, fit="tile"))
    assert (form.height, form.width, form.fit) == (64, 64, "tile")


def test_channels(tmp_path):
    grey, colour = noise(40, 40), noise(40, 40, 3)
    only_grey = manifest(tmp_path / "a", [grey, grey])
    mixed = manifest(tmp_path / "b", [grey, colour])
    assert measure_format(only_grey, Image()).channels == 1
    assert measure_format(mixed, Image()).channels == 3
    assert measure_format(only_grey, Image(channels=3)).channels == 3
    assert measure_format(mixed, Image(channels=1)).channels == 1


def test_range_is_that_of_the_tails(tmp_path):
    form = measure_format(manifest(tmp_path, [noise(300, 300, seed=i) for i in range(8)]),
                               Image())
    assert form.low == pytest.approx(50 / 255, abs=0.01)
    assert form.high == pytest.approx(200 / 255, abs=0.01)


def test_flat_images_have_a_range(tmp_path):
    form = measure_format(manifest(tmp_path, [np.full((40, 40), 128, np.uint8)]), Image())
    assert form.high > form.low
    assert torch.isfinite(form.to_canvas(np.full((40, 40), 128, np.uint8))).all()


@pytest.mark.parametrize(("shape", "encoded"), [
    ((100, 100), 256), ((200, 400), 288), ((300, 300), 304), ((320, 640), 320),
    ((1000, 1000), 320)])
@pytest.mark.parametrize(("fit", "seen"), [("resize", 128), ("tile", None)])
def test_the_encoder_sees_between_256_and_320_px(tmp_path, shape, encoded, fit, seen):
    form = measure_format(manifest(tmp_path, [noise(*shape)]), Image(size=128, fit=fit))
    own = (shape[0] * shape[1]) ** 0.5
    assert form.detail == pytest.approx(encoded / (seen or own))


def test_load_normals_resizes_every_image(tmp_path):
    images = [noise(50, 60, seed=0), noise(40, 40, 3, seed=1)]
    form, seen = tiny.input_format(channels=3), []
    out = load_normals(manifest(tmp_path, images), form, seed=0,
                       progress=lambda *e: seen.append(e))
    assert out.shape == (2, 3, 32, 32) and seen == [(1, 2), (2, 2)]
    torch.testing.assert_close(out[0], form.to_canvas(images[0]))


def test_load_normals_crops_native_tiles(tmp_path):
    images = [noise(50, 60, seed=0), noise(20, 90, seed=1), noise(32, 32, seed=2)]
    form = tiny.input_format(fit="tile")
    rows = manifest(tmp_path, images)
    out = load_normals(rows, form, seed=0)
    assert out.shape == (1026, 1, 32, 32), "at least 1,024, as many of each image"
    assert torch.equal(out, load_normals(rows, form, seed=0))
    assert not torch.equal(out, load_normals(rows, form, seed=1))
    assert torch.equal(out[-1], form.normalize(images[2])), "native pixels"
    assert len({crop.numpy().tobytes() for crop in out[:342]}) > 50


def board(rng, side=200):
    """Bright discs at any place: no place is alike on two boards."""
    y, x = np.mgrid[:side, :side]
    image = np.full((side, side), 60.0)
    for _ in range(60):
        cy, cx = rng.uniform(0, side, 2)
        image[(y - cy) ** 2 + (x - cx) ** 2 < 60] = 190
    return image.astype(np.uint8)


def fixture(rng, side=200):
    """A bright part in the middle of a dark table."""
    image = rng.normal(60, 8, (side, side))
    image[50:150, 40:170] += 100
    return image.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("draw", "side", "size", "fit"), [
    (board, 200, 96, "tile"), (fixture, 200, 96, "resize"),
    (board, 140, 96, "resize"),  # hardly larger than the canvas
    (board, 200, 48, "resize"),  # more than 16 tiles
])
def test_fit_follows_from_layout_and_size(tmp_path, draw, side, size, fit):
    images = [draw(np.random.default_rng(seed), side) for seed in range(30)]
    assert measure_format(manifest(tmp_path, images), Image(size=size)).fit == fit


def test_images_of_differing_shapes_shrink_alike(tmp_path):
    """A fixture's place means something; but one canvas would make its tall parts wide."""
    shapes = [(200, 100), (100, 200), (140, 140)] * 4
    images = [np.tile(fixture(np.random.default_rng(i)), (2, 2))[:h, :w]
              for i, (h, w) in enumerate(shapes)]
    rows = manifest(tmp_path, images)
    form = measure_format(rows, Image(size=64))
    assert (form.height, form.width, form.fit) == (64, 64, "tile")
    assert form.scale == pytest.approx(1.15 * 64 / 20_000**0.5)
    tall, wide, square = load_whole(rows, form)[:3]
    # The encoder sees 256 px of 141, the discriminator 73.6.
    assert form.detail == pytest.approx(256 / 73.6)
    sizes = [tuple(one.shape[1:]) for one in (tall, wide, square)]
    assert sizes == [(362, 181), (181, 362), (253, 253)]
    torch.testing.assert_close(tall, resize(form.normalize(images[0])[None], (362, 181))[0])
    shown = [tuple(form.for_discriminator(one[None]).shape[2:]) for one in (tall, wide, square)]
    assert shown == [(104, 52), (52, 104), (73, 73)]
    crops = load_normals(rows, form, seed=0)
    assert crops.shape == (2052, 1, 64, 64), "at least 2,048, as many of each image"
    assert torch.equal(crops, load_normals(rows, form, seed=0))
    edges = (crops[:, :, :, 1:] - crops[:, :, :, :-1]).abs().mean((1, 2, 3))
    assert edges.max() > 1.3 * edges.min(), "each at a scale of its own"


@pytest.mark.parametrize(("shapes", "fit", "scale"), [
    ([(100, 100), (100, 118)] * 5, "resize", 1.0),  # hardly differing
    ([(100, 100)] * 19 + [(40, 100)], "resize", 1.0),  # a single one
    ([(40, 30), (30, 40)] * 5, "tile", 1.15 * 96 / 1200**0.5),
])
def test_shapes_differ_from_a_quarter_on(tmp_path, shapes, fit, scale):
    rows = manifest(tmp_path, [noise(*shape, seed=i) for i, shape in enumerate(shapes)])
    form = measure_format(rows, Image(size=96))
    assert (form.fit, form.scale) == (fit, pytest.approx(scale))


def test_whole_images_are_what_the_detector_judges(tmp_path):
    images = [noise(50, 60, seed=0), noise(20, 90, seed=1)]
    rows = manifest(tmp_path, images)
    tiled = load_whole(rows, tiny.input_format(fit="tile"))
    assert [tuple(one.shape) for one in tiled] == [(1, 50, 60), (1, 20, 90)]
    for detail, size in ((1.0, 32), (0.5, 32), (3.0, 96)):
        resized = load_whole(rows, tiny.input_format(detail=detail))
        assert [tuple(one.shape) for one in resized] == [(1, size, size)] * 2


def test_an_image_is_read_when_it_is_asked_for(tmp_path):
    rows = manifest(tmp_path, [noise(50, 60, seed=seed) for seed in range(3)])
    form = tiny.input_format(detail=2.0)
    load, whole = load_prepared(rows, form), load_whole(rows, form)
    assert all(torch.equal(load(number), whole[number]) for number in (2, 0, 1))
    (tmp_path / "01.png").unlink()
    assert torch.equal(load(2), whole[2])
    with pytest.raises(DataError, match=r"01\.png"):
        load(1)


def test_what_the_discriminator_learns_from_is_what_it_judges(tmp_path):
    rows = manifest(tmp_path, [noise(50, 60, seed=seed) for seed in range(2)])
    form = tiny.input_format(detail=2.0)
    learned = load_normals(rows, form, seed=0)
    for image, prepared in zip(learned, load_whole(rows, form), strict=True):
        assert torch.equal(image, form.for_discriminator(prepared[None])[0])
