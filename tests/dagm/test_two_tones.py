"""Which lines have two tones and nothing between."""

import pytest
import tiny
import torch

from hdm.dagm.foreground import otsu
from hdm.dagm.two_tones import TWO_TONES, two_toned


def test_black_and_white_have_two_tones_and_a_little_noise_changes_nothing():
    bare = torch.where(tiny.textures(4) > 0.2, 1.0, -1.0)
    assert two_toned(bare)
    assert two_toned(bare + 0.1 * torch.randn(bare.shape, generator=torch.Generator()))


@pytest.mark.parametrize("images", [
    tiny.textures(4), torch.rand(4, 1, 32, 32), torch.zeros(4, 1, 32, 32),
    torch.tensor([-1.0, 0.0, 1.0]).repeat(4, 1, 30, 10)], ids=["waves", "even", "flat", "three"])
def test_greys_and_flat_images_have_not(images):
    assert not two_toned(images)


def test_variance_between_two_classes_of_even_values_is_three_quarters():
    values = torch.linspace(0, 1, 64 * 100).numpy()
    variance, threshold = otsu(values)
    assert variance == pytest.approx(0.75 * values.var(), rel=0.01)
    assert threshold == pytest.approx(0.5, abs=0.02)
    assert TWO_TONES > 0.75
