"""The U-Net: shapes, conditioning, zero start."""

import pytest
import tiny
import torch

from hdm.diffusion.unet import UNet, _planes
from hdm.model_settings import Denoiser


@pytest.mark.parametrize("shape", [
    Denoiser(stem=1, widths=(8,), blocks=1), Denoiser(stem=4, widths=(16,), blocks=2),
    Denoiser(stem=2, widths=(8, 16, 24), blocks=1), Denoiser(stem=8, widths=(8, 16, 16), blocks=1)])
@pytest.mark.parametrize("size", [(32, 32), (48, 80), (33, 50)])
def test_output_has_the_size_of_the_input(shape, size):
    network = tiny.randomised(UNet(3, 2, shape), 0)
    out = network(torch.randn(2, 3, *size), torch.tensor([0.1, 0.9]))
    assert out.shape == (2, 2, *size) and torch.isfinite(out).all()
    assert out.std() > 0


def test_untrained_output_is_zero():
    assert not UNet(1, 1, tiny.NETWORK)(torch.randn(1, 1, 32, 32), torch.tensor([0.5])).any()


def test_level_changes_the_answer_of_its_own_image_only():
    network = tiny.randomised(UNet(1, 1, tiny.NETWORK), 0).eval()
    x = torch.randn(2, 1, 32, 32)
    one = network(x, torch.tensor([0.1, 0.5]))
    two = network(x, torch.tensor([0.9, 0.5]))
    assert not torch.allclose(one[0], two[0])
    assert torch.equal(one[1], two[1])


def test_without_levels_it_takes_the_image_alone():
    plain, levelled = (UNet(1, 1, tiny.NETWORK, levelled=told) for told in (False, True))
    assert plain(torch.randn(1, 1, 32, 32)).shape == (1, 1, 32, 32)
    assert plain.down[0][0].in_channels < levelled.down[0][0].in_channels


def test_planes_tell_levels_apart():
    levels = torch.tensor([0.0, 0.25, 0.5, 1.0])
    planes = _planes(levels, torch.zeros(4, 1, 3, 5))
    assert planes.shape == (4, 3, 3, 5)
    assert torch.allclose(planes[1, :, 2, 3], torch.tensor([0.25, 1.0, 0.0]), atol=1e-6)
    assert torch.allclose(planes[3, :, 0, 0], torch.tensor([1.0, 0.0, 1.0]), atol=1e-6)
