"""Logits and texture in one unit: how they join, and how they are kept."""

import pytest
import torch

from hdm.detector.normality import Normality
from hdm.detector.texture import CELL
from hdm.pom.discrimination.normality_fit import fit_normality


def good(count: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Images of good parts, and logits about -4."""
    generator = torch.Generator().manual_seed(seed)
    return (0.3 * torch.randn(count, 1, 32, 32, generator=generator),
            -4 + 0.5 * torch.randn(count, 1, 32, 32, generator=generator))


def fitted(count: int, places: bool = True) -> Normality:
    images, logits = good(count)
    return fit_normality(images, logits, images.roll(2, 3) if places else None)


@pytest.fixture(scope="module")
def normality() -> Normality:
    return fitted(200)


def test_each_kind_differs_by_about_one_unit_on_images_that_were_not_in_the_fit(normality):
    images, logits = good(200, seed=2)
    still = torch.full_like(logits, normality.logit[0].item())
    alone = normality.joined(images, still)[:, :, CELL // 2::CELL, CELL // 2::CELL]
    assert alone.mean().item() == pytest.approx(0.0, abs=0.3)  # moments of half the fit
    assert alone.std().item() == pytest.approx(1.0, abs=0.3)
    assert (normality.joined(images, logits) - normality.joined(images, still)).std().item() == \
        pytest.approx(1.0, abs=0.05)


def test_evidence_of_logits_and_of_texture_adds_at_each_pixel(normality):
    images, logits = good(2, seed=3)
    before = normality.joined(images, logits)
    after = normality.joined(images, logits + 1)
    torch.testing.assert_close(after - before, torch.full_like(before, 1 / normality.logit[1]),
                               rtol=1e-3, atol=1e-3)
    images[0, 0, 8:16, 8:16] += 1.5
    stained = normality.joined(images, logits)
    middle = stained[0, 0, 11:13, 11:13] - before[0, 0, 11:13, 11:13]
    assert middle.min() > 1
    torch.testing.assert_close(stained[1], before[1])


def test_where_places_mean_nothing_logits_alone_count():
    normality = fitted(60, places=False)
    images, logits = good(2, seed=3)
    assert normality.texture is None
    found = normality.joined(images, logits)
    assert torch.equal(found, normality.joined(images * 5, logits))
    torch.testing.assert_close(found, (logits - normality.logit[0]) / normality.logit[1])


@pytest.mark.parametrize("places", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_images_that_never_vary_give_finite_figures(count, places):
    images = torch.ones(count, 1, 2 * CELL, 2 * CELL)
    found = fit_normality(images, torch.zeros(count, 1, 16, 16), images if places else None)
    assert found.joined(torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)).isfinite().all()


@pytest.mark.parametrize("places", [True, False])
def test_taken_apart_and_put_together_it_says_the_same(places):
    normality = fitted(30, places)
    again = Normality.of(normality.tensors())
    assert (again.texture is None) == (not places)
    assert torch.equal(again.joined(*good(4, seed=4)), normality.joined(*good(4, seed=4)))


def test_a_part_that_lies_a_little_elsewhere_is_no_stranger_than_what_was_shown():
    """A stripe at one column, two pixels off: strange unless such poses were shown as good."""
    images, logits = good(80)
    images[..., 12:15] += 1.0
    moved, moved_logits = good(40, seed=7)
    moved[..., 14:17] += 1.0
    strict, lenient = (
        fit_normality(images, logits, posed).joined(moved, moved_logits)[..., 12:20].amax((1, 2, 3))
        .median() for posed in (images, images.roll(2, 3)))
    assert lenient < strict - 1
