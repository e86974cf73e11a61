"""The denoiser of latents: place by place, at its own noise level, told or not where it is and of
which image."""

import pytest
import tiny
import torch

from hdm.diffusion.place_denoiser import SMALLEST_SPREAD, PlaceDenoiser
from hdm.model_settings import PlaceNetwork

GENERATOR = torch.Generator().manual_seed(0)
STATE, PLACE = torch.randn(3, 5, 8, generator=GENERATOR), torch.rand(3, 5, 2, generator=GENERATOR)
MEAN = torch.randn(3, 5, 8, generator=GENERATOR)
LEVEL = torch.tensor([0.1, 0.5, 0.9])
TOLD = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])


def network():
    torch.manual_seed(0)
    fresh = PlaceDenoiser(8, PlaceNetwork(width=32, blocks=2))
    return tiny.randomised(fresh, 0, scale=0.2).eval()


def test_untrained_answer_is_zero():
    fresh = PlaceDenoiser(8, PlaceNetwork(width=32, blocks=2))
    assert not fresh(STATE, LEVEL, PLACE, MEAN, TOLD).any()


def test_the_answer_of_a_vector_does_not_depend_on_its_neighbours():
    together = network()(STATE, LEVEL, PLACE, MEAN, TOLD)
    assert together.shape == STATE.shape
    for group in range(3):
        for row in range(5):
            alone = network()(STATE[group, row][None, None], LEVEL[group, None],
                              PLACE[group, row][None, None], MEAN[group, row][None, None],
                              TOLD[group, None])
            torch.testing.assert_close(together[group, row], alone[0, 0])


def test_who_is_not_told_answers_alike_everywhere():
    one = network()(STATE, LEVEL, PLACE, MEAN, TOLD)
    other = network()(STATE, LEVEL, 1 - PLACE, MEAN, TOLD)
    assert torch.equal(one[1], other[1])
    for told in (0, 2):
        assert not torch.isclose(one[told], other[told]).all(-1).any()


def test_who_is_not_told_of_the_image_answers_alike_of_all():
    one = network()(STATE, LEVEL, PLACE, MEAN, TOLD)
    other = network()(STATE, LEVEL, PLACE, MEAN + 1, TOLD)
    assert torch.equal(one[2], other[2])
    for told in (0, 1):
        assert not torch.isclose(one[told], other[told]).all(-1).any()


def test_means_count_in_the_spread_of_those_that_were_trained_on():
    spread = torch.tensor([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 1e-6, 0.0])
    wide, narrow = network(), network()
    wide.standardize(torch.stack([-spread, spread]))
    torch.testing.assert_close(wide.spread, spread.clamp(min=SMALLEST_SPREAD))
    torch.testing.assert_close(wide(STATE, LEVEL, PLACE, MEAN * wide.spread, TOLD),
                               narrow(STATE, LEVEL, PLACE, MEAN, TOLD))
    wide.standardize(torch.ones(1, 8))  # one image has no spread
    assert wide.spread.tolist() == pytest.approx([SMALLEST_SPREAD] * 8)


def test_the_corners_and_the_middle_of_a_part_are_told_apart():
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]])
    state = STATE[:1, :1].expand(1, 5, 8)
    found = network()(state, LEVEL[:1], corners[None], torch.zeros(1, 5, 8),
                      torch.ones(1, 2))[0]
    apart = torch.cdist(found, found) + torch.eye(5)
    assert apart.min() > 1e-2


def test_a_level_changes_the_answer_of_its_own_group_only():
    one = network()(STATE, LEVEL, PLACE, MEAN, TOLD)
    other = network()(STATE, torch.tensor([0.11, 0.5, 0.9]), PLACE, MEAN, TOLD)
    assert not torch.allclose(one[0], other[0])
    assert torch.equal(one[1:], other[1:])
