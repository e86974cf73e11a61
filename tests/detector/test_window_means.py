"""Means over square windows."""

import pytest
import torch
from torch.nn import functional as F

from hdm.detector.window_means import LONGEST, window_means


def test_means_of_windows_are_those_of_what_lies_inside():
    """By hand: three by three pixels in the middle, fewer at the ends."""
    values = torch.arange(12.0).view(1, 1, 3, 4)
    found = window_means(values, 1)[0, 0]
    assert found[1, 1].item() == pytest.approx(values[0, 0, :3, :3].mean().item())
    assert found[0, 0].item() == pytest.approx((0 + 1 + 4 + 5) / 4)
    assert found[2, 3].item() == pytest.approx((6 + 7 + 10 + 11) / 4)


@pytest.mark.parametrize("side", [LONGEST, LONGEST + 1])
@pytest.mark.parametrize("radius", [1, 16])
def test_short_and_long_images_have_the_means_of_the_whole_square(side, radius):
    images = torch.randn(2, 1, 5, side, generator=torch.Generator().manual_seed(0))
    square = F.avg_pool2d(images, 2 * radius + 1, 1, radius, count_include_pad=False)
    torch.testing.assert_close(window_means(images, radius), square, rtol=1e-4, atol=1e-5)


def test_an_image_of_a_hundred_thousand_columns_needs_no_matrix_of_them():
    found = window_means(torch.ones(1, 1, 2, 100_000), 16)
    torch.testing.assert_close(found, torch.ones(1, 1, 2, 100_000))
