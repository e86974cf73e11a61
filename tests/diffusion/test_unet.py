"""The U-Net: shapes, conditioning, zero start."""

import pytest
import tiny
import torch

from hdm.config import Denoiser
from hdm.diffusion.unet import UNet, _fourier


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
    network = tiny.randomised(UNet(1, 1, tiny.NETWORK), 0)
    x = torch.randn(2, 1, 32, 32)
    one = network(x, torch.tensor([0.1, 0.5]))
    two = network(x, torch.tensor([0.9, 0.5]))
    assert not torch.allclose(one[0], two[0])
    assert torch.equal(one[1], two[1])


def test_embedding_tells_levels_apart():
    codes = _fourier(torch.linspace(0, 1, 200), 16)
    assert codes.shape == (200, 16) and codes.abs().max() <= 1
    distance = torch.cdist(codes, codes) + torch.eye(200) * 10
    assert distance.min() > 0.05
