"""How odd an image is: distances to remembered features, and what changes them."""

import pytest
import torch

from hdm.detector.memory import Memory
from hdm.pom.discrimination.normality_fit import REMEMBERED, fit_memory

MIX = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 2.0]])


def good(count: int, seed: int = 1) -> torch.Tensor:
    """Correlated features."""
    generator = torch.Generator().manual_seed(seed)
    return torch.einsum("ij,njhw->nihw", MIX, torch.randn(count, 3, 4, 4, generator=generator))


@pytest.fixture(scope="module")
def memory() -> Memory:
    return fit_memory(good(200))[0]


def test_remembered_features_are_uncorrelated_and_of_unit_variance(memory):
    assert len(memory.remembered) == 200 * 16 <= REMEMBERED
    covariance = memory.remembered.T @ memory.remembered / len(memory.remembered)
    torch.testing.assert_close(covariance, torch.eye(3), atol=0.1, rtol=0)


def test_it_is_the_distance_of_the_farthest_place_to_its_nearest_feature():
    still = Memory(torch.zeros(2), torch.eye(2), torch.tensor([[0.0, 0.0], [10.0, 0.0]]))
    context = torch.tensor([[0.0, 7.0], [1.0, 4.0]]).view(1, 2, 1, 2)  # (0, 1) and (7, 4)
    assert still.distance(context).tolist() == pytest.approx([5])  # (3, 4) from (10, 0)


def test_an_images_own_features_do_not_count_in_its_distance():
    apart = torch.tensor([0.0, 3.0, 12.0]).view(3, 1, 1, 1).expand(3, 2, 2, 2).clone()
    _, distances = fit_memory(apart)
    deviation = apart[:, 0, 0, 0].std(correction=0)
    # Both features say the same, so the two whitened ones together count once; nearest: 3, 3, 9.
    assert distances.tolist() == pytest.approx((torch.tensor([3.0, 3.0, 9.0]) / deviation).tolist(),
                                               rel=0.02)


@pytest.mark.parametrize("shift", [(6.0, 6.0, 0.0), (2.0, -2.0, 0.0), (0.0, 0.0, 12.0)])
def test_a_shift_and_a_broken_correlation_at_one_place_make_an_image_odd(memory, shift):
    context = good(50, seed=3)
    before = memory.distance(context)
    context[:, :, 1, 2] += torch.tensor(shift)
    assert (memory.distance(context) - before).median() > before.std()


def test_the_scale_of_features_means_nothing():
    context = good(40)
    one, other = fit_memory(context)[0], fit_memory(context * 100)[0]
    torch.testing.assert_close(one.distance(context), other.distance(context * 100), atol=1e-2,
                               rtol=1e-2)


@pytest.mark.parametrize("count", [1, 3])
def test_features_that_never_fire_and_a_single_image_give_finite_figures(count):
    found, distances = fit_memory(torch.ones(count, 2, 4, 4))
    assert found.distance(torch.ones(1, 2, 4, 4)).isfinite().all() and distances.isfinite().all()


def test_an_images_distance_does_not_depend_on_its_neighbours(memory):
    context = good(6, seed=5)
    torch.testing.assert_close(memory.distance(context)[2:3], memory.distance(context[2:3]))
