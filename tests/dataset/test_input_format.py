"""One image as the discriminator and as the encoder see it."""

import numpy as np
import pytest
import tiny
import torch

from hdm.dataset.input_format import InputFormat, encoder_size, resize


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(50, 200, shape, endpoint=True).astype(np.uint8)


def size(images):
    return tuple(images.shape[-2:])


def test_normalize_maps_low_and_high_and_clips():
    form = tiny.input_format()  # 0.2 to 0.8
    image = np.array([[0.2, 0.5, 0.8, 0.0, 1.0]]) * 65535
    out = form.normalize(np.round(image).astype(np.uint16))
    assert out.shape == (1, 1, 5) and out.dtype == torch.float32
    assert out[0, 0].tolist() == pytest.approx([-1, 0, 1, -5 / 3, 5 / 3], abs=1e-4)
    narrow = InputFormat(32, 32, 1, 0.5, 0.501, "resize")
    assert narrow.normalize(np.array([[0, 255]], np.uint8))[0, 0].tolist() == [-3, 3]


def test_normalize_makes_the_models_channels():
    grey, colour = noise(4, 5), noise(4, 5, 3)
    three = tiny.input_format(channels=3)
    assert three.normalize(colour).shape == three.normalize(grey).shape == (3, 4, 5)
    assert torch.equal(three.normalize(grey)[0], three.normalize(grey)[2])
    torch.testing.assert_close(tiny.input_format().normalize(colour),
                               three.normalize(colour).mean(0, keepdim=True))


def test_format_round_trip():
    form = tiny.input_format(48, 3, "tile")
    assert InputFormat(**form.as_dict()) == form


def test_resize_is_the_identity_at_the_same_size_and_keeps_the_mean():
    image = torch.rand(1, 1, 64, 64)
    assert resize(image, (64, 64)) is image
    small = resize(image, (16, 16))
    assert small.mean().item() == pytest.approx(image.mean().item(), abs=0.01)
    checks = ((torch.arange(64)[:, None] + torch.arange(64)) % 2).float()[None, None]
    assert (resize(checks, (16, 16)) - 0.5).abs().max() < 0.1, "anti-aliased"


def test_the_encoder_takes_the_nearest_multiples_of_16_from_32_on():
    assert encoder_size(100, 105) == (96, 112)
    assert encoder_size(1, 39.9) == (32, 32)
    assert encoder_size(256, 320.4) == (256, 320)


@pytest.mark.parametrize(("detail", "prepared", "encoded"), [
    (1.0, (48, 32), (48, 32)), (0.7, (48, 32), (32, 32)), (2.0, (96, 64), (96, 64)),
    (2.3, (112, 80), (112, 80)), (0.1, (48, 32), (32, 32))])
@pytest.mark.parametrize("shape", [(90, 70), (20, 30), (1, 200)])
def test_whole_images_are_prepared_at_the_finer_of_both_sizes(detail, prepared, encoded, shape):
    form = tiny.input_format(height=48, detail=detail)
    image = form.prepare(noise(*shape))[None]
    assert size(image) == form.prepared_size == prepared
    assert size(form.for_discriminator(image)) == (48, 32)
    assert size(form.for_encoder(image)) == encoded
    assert size(form.for_encoder(form.for_discriminator(image))) == encoded, "of a canvas alike"
    if detail > 1:
        assert form.for_encoder(image) is image, "not resized twice"
    else:
        assert form.for_discriminator(image) is image


@pytest.mark.parametrize(("detail", "scale", "prepared", "judged", "encoded"), [
    (1.0, 1.0, (90, 71), (90, 71), (96, 64)),
    (0.5, 1.0, (90, 71), (90, 71), (48, 32)),
    (2.0, 1.0, (180, 142), (90, 71), (176, 144)),
    (1.0, 0.4, (36, 28), (36, 28), (32, 32)),
    (2.5, 0.4, (90, 71), (36, 28), (96, 64))])
def test_images_to_be_tiled_keep_their_shape(detail, scale, prepared, judged, encoded):
    form = tiny.input_format(fit="tile", detail=detail, scale=scale)
    image = form.prepare(noise(90, 71))[None]
    assert size(image) == prepared
    assert size(form.for_discriminator(image)) == judged
    assert size(form.for_encoder(image)) == encoded


def test_a_zoom_changes_what_is_prepared_of_an_image_to_be_tiled():
    form = tiny.input_format(fit="tile", detail=2.0, scale=0.5)
    image = form.prepare(noise(90, 70), zoom=1.2)[None]
    assert size(image) == (108, 84) and size(form.for_discriminator(image)) == (54, 42)


def test_no_side_vanishes():
    form = tiny.input_format(fit="tile", detail=2.0, scale=0.1)
    image = form.prepare(noise(3, 90))[None]
    assert size(image) == (1, 18) and size(form.for_discriminator(image)) == (1, 9)
    assert size(form.for_encoder(image)) == (32, 32)


def test_both_see_the_same_part():
    """A bright corner stays in its corner, and keeps its share of the picture."""
    image = np.full((96, 96), 51, np.uint8)
    image[:24, :48] = 204
    form = tiny.input_format(detail=2.0)
    prepared = form.prepare(image)[None]
    for seen in (form.for_discriminator(prepared), form.for_encoder(prepared)):
        side = seen.shape[-1]
        assert seen[0, 0, :side // 4 - 1, :side // 2 - 1].min() > 0.99
        assert seen[0, 0, side // 4 + 1:].max() < -0.99
        assert seen.mean().item() == pytest.approx(-0.75, abs=0.01)
