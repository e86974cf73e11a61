"""Brightness, contrast and sharpness of images whose values are known."""

import torch

from hdm.dataset.appearance import Appearance


def test_flat_and_checkered_images():
    flat = torch.full((1, 4, 4), 0.5)
    assert Appearance.of(flat) == (0.5, 0.0, 0.0)
    checks = ((torch.arange(4)[:, None] + torch.arange(4)) % 2).float()[None] * 2 - 1
    found = Appearance.of(checks.repeat(3, 1, 1))
    assert found == (0.0, 1.0, 2.0)


def test_one_pixel_has_no_neighbours():
    assert Appearance.of(torch.ones(1, 1, 1)) == (1.0, 0.0, 0.0)
