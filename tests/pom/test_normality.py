"""Density of features on good images: closed forms, invariances, and what a defect adds."""

import math

import pytest
import torch

from hdm.errors import HDMError
from hdm.pom.normality import FLOOR, Normality

MIX = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 2.0]])


def good(count: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Correlated features whose mean grows to the right, and logits about -4."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, 3, 8, 8, generator=generator)
    features = torch.einsum("ij,njhw->nihw", MIX, noise) + torch.linspace(0, 6, 8)
    return features, -4 + 0.5 * torch.randn(count, 1, 16, 16, generator=generator)


@pytest.fixture(scope="module")
def normality() -> Normality:
    return Normality.fit(*good(400))


def test_evidence_of_good_images_is_two_standard_variables(normality):
    evidence = normality.evidence(*good(200, seed=2))
    assert evidence.shape == (200, 1, 16, 16)
    assert evidence.mean().item() == pytest.approx(0, abs=0.05)
    # Independent here, so their variances add; interpolation takes some of the surprise's.
    assert 1.1 < evidence.std().item() < math.sqrt(2) + 0.05


def test_precision_is_the_inverse_of_the_correlations(normality):
    expected = torch.tensor([[1.0, 0.8, 0.0], [0.8, 1.0, 0.0], [0.0, 0.0, 1.0]])
    # Places share mean and deviation over a window, in which the mean grows.
    features, logits = good(4000, seed=3)
    flat = Normality.fit(features - torch.linspace(0, 6, 8), logits)
    found = torch.linalg.inv(flat.precision) - FLOOR * torch.eye(3)
    torch.testing.assert_close(found, expected, atol=0.03, rtol=0)


@pytest.mark.parametrize(("shift", "least"), [([0.0, 0.0, 8.0], 1.0), ([2.0, -2.0, 0.0], 1.0)])
def test_a_shift_and_a_broken_correlation_are_surprising_where_they_are(normality, shift, least):
    features, logits = good(50, seed=4)
    features[:, :, 2:4, 5:7] += torch.tensor(shift)[:, None, None]
    evidence = normality.evidence(features, logits)[:, 0]
    inside = evidence[:, 4:8, 10:14].mean()
    assert inside > least + evidence[:, 10:, :6].mean()


def test_what_is_usual_on_the_right_is_surprising_on_the_left(normality):
    features, logits = good(50, seed=5)
    turned = normality.evidence(features.flip(3), logits)[:, 0]
    straight = normality.evidence(features, logits)[:, 0]
    assert turned[:, :, :4].mean() > 1 + straight[:, :, :4].mean()


def test_logits_count_by_their_own_deviation(normality):
    features, logits = good(5, seed=6)
    more = normality.evidence(features, logits + 1.0) - normality.evidence(features, logits)
    torch.testing.assert_close(more, torch.full_like(more, 1 / 0.5), atol=0.05, rtol=0)


def test_scale_of_features_does_not_matter():
    features, logits = good(60, seed=7)
    one, other = Normality.fit(features, logits), Normality.fit(features * 100, logits)
    torch.testing.assert_close(one.evidence(features, logits),
                               other.evidence(features * 100, logits), atol=1e-3, rtol=1e-3)


def test_features_that_never_fired_are_finite_surprises():
    features, logits = good(20, seed=8)
    features[:, 1] = 0
    normality = Normality.fit(features, logits)
    features[0, 1] = 3.0
    evidence = normality.evidence(features, logits)
    assert evidence.isfinite().all() and evidence[0].mean() > evidence[1:].mean()


def test_constant_features_and_logits_do_not_divide_by_zero():
    normality = Normality.fit(torch.ones(3, 2, 4, 4), torch.zeros(3, 1, 8, 8))
    assert normality.evidence(torch.ones(1, 2, 4, 4), torch.zeros(1, 1, 8, 8)).isfinite().all()


def test_saved_and_loaded_it_says_the_same(normality, tmp_path):
    normality.save(tmp_path / "normality.safetensors")
    again = Normality.load(tmp_path / "normality.safetensors")
    features, logits = good(3, seed=9)
    assert torch.equal(again.evidence(features, logits), normality.evidence(features, logits))


@pytest.mark.parametrize("content", [None, b"", b"no tensors"])
def test_damaged_file_is_refused_with_what_to_do(tmp_path, content):
    file = tmp_path / "normality.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HDMError, match=r"normality\.safetensors cannot be read .*ddm_train"):
        Normality.load(file)
