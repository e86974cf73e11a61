"""The share of variance that the place explains."""

import pytest
import torch

from hdm.dataset.layout import position_share

GENERATOR = torch.Generator().manual_seed(0)
PLAN, NOISE = torch.randn(1, 1, 24, 24, generator=GENERATOR), torch.randn(
    200, 1, 24, 24, generator=GENERATOR)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_share_of_a_known_mixture(share):
    images = share**0.5 * PLAN + (1 - share) ** 0.5 * NOISE
    assert position_share(images) == pytest.approx(share, abs=0.03)


def test_light_and_channels_make_no_difference():
    images = 0.7 * PLAN + 0.7 * NOISE
    lit = torch.rand(200, 1, 1, 1, generator=GENERATOR) * images - 3
    assert position_share(lit.repeat(1, 3, 1, 1)) == pytest.approx(position_share(images), abs=0.02)


def test_flat_images_and_a_single_one_have_no_layout():
    assert position_share(torch.ones(4, 1, 8, 8)) == 0
    assert position_share(PLAN.repeat(2, 1, 1, 1)) == pytest.approx(1, abs=0.01)
