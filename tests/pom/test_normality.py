"""How odd an image is: distances to remembered features, their units, and what changes them."""

import pytest
import torch

from hdm.errors import HDMError
from hdm.pom.normality import REMEMBERED, Normality

MIX = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 2.0]])


def good(count: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlated features and scores about -4."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, 3, 4, 4, generator=generator)
    return (torch.einsum("ij,njhw->nihw", MIX, noise),
            -4 + 0.5 * torch.randn(count, generator=generator))


@pytest.fixture(scope="module")
def normality() -> Normality:
    return Normality.fit(*good(200))


def test_remembered_features_are_uncorrelated_and_of_unit_variance(normality):
    assert len(normality.memory) == 200 * 16 <= REMEMBERED
    covariance = normality.memory.T @ normality.memory / len(normality.memory)
    torch.testing.assert_close(covariance, torch.eye(3), atol=0.1, rtol=0)


def test_it_is_the_distance_of_the_farthest_place_to_its_nearest_feature():
    still = Normality(torch.zeros(2), torch.eye(2), torch.tensor([[0.0, 0.0], [10.0, 0.0]]),
                      torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    context = torch.tensor([[0.0, 7.0], [1.0, 4.0]]).view(1, 2, 1, 2)  # (0, 1) and (7, 4)
    assert still.oddness(context).tolist() == pytest.approx([(5 - 1) / 2])  # (3, 4) from (10, 0)


def test_an_images_own_features_do_not_count_when_units_are_taken():
    apart = torch.tensor([0.0, 3.0, 12.0]).view(3, 1, 1, 1).expand(3, 2, 2, 2).clone()
    found = Normality.fit(apart, torch.tensor([1.0, 2.0, 3.0]))
    deviation = apart[:, 0, 0, 0].std(correction=0)
    # Both features say the same, so the two whitened ones together count once; nearest: 3, 3, 9.
    expected = torch.tensor([3.0, 3.0, 9.0]) / deviation
    assert found.distance.tolist() == pytest.approx(
        [expected.mean().item(), expected.std(correction=0).item()], rel=0.02)
    assert found.score.tolist() == pytest.approx([2, (2 / 3) ** 0.5])


def test_good_images_differ_by_one_unit(normality):
    context, scores = good(200, seed=2)
    for values in (normality.oddness(context), normality.evidence(scores)):
        assert values.mean().item() == pytest.approx(0.0, abs=0.25)
        assert values.std().item() == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("shift", [(6.0, 6.0, 0.0), (2.0, -2.0, 0.0), (0.0, 0.0, 12.0)])
def test_a_shift_and_a_broken_correlation_at_one_place_make_an_image_odd(normality, shift):
    context, _ = good(50, seed=3)
    before = normality.oddness(context)
    context[:, :, 1, 2] += torch.tensor(shift)
    assert (normality.oddness(context) - before).median() > 2


def test_the_scale_of_features_means_nothing():
    context, scores = good(40)
    one, other = Normality.fit(context, scores), Normality.fit(context * 100, scores)
    torch.testing.assert_close(one.oddness(context), other.oddness(context * 100), atol=1e-2,
                               rtol=1e-2)


@pytest.mark.parametrize("count", [1, 3])
def test_features_that_never_fire_and_a_single_image_give_finite_figures(count):
    found = Normality.fit(torch.ones(count, 2, 4, 4), torch.zeros(count))
    assert found.oddness(torch.ones(1, 2, 4, 4)).isfinite().all()
    assert found.evidence(torch.zeros(1, 1, 8, 8)).isfinite().all()


def test_an_images_oddness_does_not_depend_on_its_neighbours(normality):
    context, _ = good(6, seed=5)
    torch.testing.assert_close(normality.oddness(context)[2:3], normality.oddness(context[2:3]))


def test_saved_and_loaded_it_says_the_same(normality, tmp_path):
    normality.save(tmp_path / "normality.safetensors")
    again = Normality.load(tmp_path / "normality.safetensors")
    context, _ = good(4, seed=4)
    assert torch.equal(again.oddness(context), normality.oddness(context))


@pytest.mark.parametrize("content", [None, b"", b"not a tensor"])
def test_missing_and_damaged_files_say_what_to_do(tmp_path, content):
    file = tmp_path / "normality.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HDMError, match=r"normality\.safetensors cannot be read .*ddm_train"):
        Normality.load(file)
