"""The U-Net: shapes and zero start."""

import pytest
import tiny
import torch

from hdm.diffusion.unet import UNet
from hdm.model_settings import Denoiser


@pytest.mark.parametrize("shape", [
    Denoiser(stem=1, widths=(8,), blocks=1), Denoiser(stem=4, widths=(16,), blocks=2),
    Denoiser(stem=2, widths=(8, 16, 24), blocks=1), Denoiser(stem=8, widths=(8, 16, 16), blocks=1)])
@pytest.mark.parametrize("size", [(32, 32), (48, 80), (33, 50)])
def test_output_has_the_size_of_the_input(shape, size):
    network = tiny.randomised(UNet(3, 2, shape), 0)
    out = network(torch.randn(2, 3, *size))
    assert out.shape == (2, 2, *size) and torch.isfinite(out).all()
    assert out.std() > 0


def test_untrained_output_is_zero():
    assert not UNet(1, 1, tiny.NETWORK)(torch.randn(1, 1, 32, 32)).any()


def test_the_answer_of_an_image_does_not_depend_on_its_neighbours():
    network = tiny.randomised(UNet(1, 1, tiny.NETWORK), 0).eval()
    images = torch.randn(3, 1, 32, 32)
    one, two = network(images), network(torch.cat([images[:1], 5 * images[1:]]))
    torch.testing.assert_close(one[:1], two[:1])
    assert not torch.allclose(one[1:], two[1:])


@pytest.mark.parametrize("shape", [
    Denoiser(stem=4, widths=(16,), blocks=1), Denoiser(stem=2, widths=(8, 16, 24, 32), blocks=1),
    Denoiser(stem=8, widths=(8, 16, 16), blocks=1)])
def test_what_is_known_beside_an_image_is_added_at_the_level_of_its_stride(shape):
    strides = {4: 3, 8: 5, 16: 2}
    network = tiny.randomised(UNet(1, 1, shape, strides), 0).eval()
    image = torch.randn(2, 1, 48, 80)
    beside = [torch.randn(2, channels, 48 // stride, 80 // stride)
              for stride, channels in strides.items()]
    answer = network(image, beside)
    assert answer.shape == image.shape
    levels = {shape.stem * 2**level for level in range(len(shape.widths))}
    for number, stride in enumerate(strides):
        changed = [*beside]
        changed[number] = -changed[number]
        assert torch.equal(network(image, changed), answer) == (stride not in levels)


def test_it_must_be_given_what_it_was_made_for():
    network = UNet(1, 1, tiny.NETWORK, {4: 3})
    with pytest.raises(ValueError):
        network(torch.randn(1, 1, 32, 32))
    with pytest.raises(ValueError):
        UNet(1, 1, tiny.NETWORK)(torch.randn(1, 1, 32, 32), [torch.randn(1, 3, 8, 8)])
