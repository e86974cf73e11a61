"""Three kinds of evidence in one unit: how they join, and how they are kept."""

import pytest
import torch

from hdm.detector.evidence import scan, standard
from hdm.detector.normality import Normality
from hdm.detector.texture import CELL, excess
from hdm.errors import HDMError
from hdm.pom.discrimination.normality_fit import fit_normality


def good(count: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images, logits about -4 and context of good parts."""
    generator = torch.Generator().manual_seed(seed)
    return (0.3 * torch.randn(count, 1, 32, 32, generator=generator),
            -4 + 0.5 * torch.randn(count, 1, 32, 32, generator=generator),
            torch.randn(count, 3, 4, 4, generator=generator))


def fitted(count: int, places: bool = True) -> Normality:
    images, logits, context = good(count)
    return fit_normality(images, logits, context, images.roll(2, 3) if places else None)


@pytest.fixture(scope="module")
def normality() -> Normality:
    return fitted(200)


def test_good_images_differ_by_about_one_unit(normality):
    """In each kind of evidence, on images that were not in the fit."""
    found = normality.evidence(*good(200, seed=2))
    assert found.expected.windows[:, 0].tolist() == [0, 1], "its unit is the smallest window's"
    worst = standard(scan(found.pixels, found.canvas, found.expected.pixel),
                     found.expected.windows)
    assert worst.mean(0).tolist() == pytest.approx([0.0] * 3, abs=0.5)  # moments of half the fit
    assert worst.std(0).tolist() == pytest.approx([1.0] * 3, abs=0.3)
    pixels = standard(found.pixels, found.expected.pixel)
    assert pixels.mean().item() == pytest.approx(0.0, abs=0.2)
    assert pixels.std().item() == pytest.approx(1.0, abs=0.2)
    assert found.image_level.mean().item() == pytest.approx(0.0, abs=0.7)
    assert found.image_level.std().item() == pytest.approx(2**0.5, abs=0.4)  # of two kinds


def test_evidence_of_logits_and_of_texture_adds_at_each_pixel(normality):
    images, logits, context = good(2, seed=3)
    before = normality.evidence(images, logits, context).pixels
    after = normality.evidence(images, logits + 1, context).pixels
    expected = 1 / (normality.logit[1] * normality.windows[1, 0])
    torch.testing.assert_close(after - before, torch.full_like(before, expected.item()), rtol=1e-3,
                               atol=1e-3)
    images[0, 0, 8:16, 8:16] += 1.5
    stained = normality.evidence(images, logits, context).pixels
    middle = stained[0, 0, 11:13, 11:13] - before[0, 0, 11:13, 11:13]
    assert middle.min() > 1
    torch.testing.assert_close(stained[1], before[1])


def test_texture_and_features_add_for_the_whole_image(normality):
    images, logits, context = good(5, seed=3)
    odd = normality.evidence(images, logits, context).image_level
    texture = (excess(normality.texture.distance(images)) - normality.excess[0]) \
        / normality.excess[1]
    features = (normality.memory.distance(context) - normality.distance[0]) / normality.distance[1]
    torch.testing.assert_close(odd, texture + features)


def test_where_places_mean_nothing_logits_alone_count():
    normality = fitted(60, places=False)
    images, logits, context = good(2, seed=3)
    assert normality.texture is None and normality.memory is None
    found = normality.evidence(images, logits, context)
    assert torch.equal(found.pixels, normality.evidence(images * 5, logits, context * 9).pixels)
    assert torch.equal(found.image_level, torch.zeros(2))
    first, second = found.pixels.flatten(1), logits.flatten(1)
    assert torch.equal(first.argsort(1), second.argsort(1)), "in another unit, and no more"


@pytest.mark.parametrize("places", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_images_that_never_vary_give_finite_figures(count, places):
    images = torch.ones(count, 1, 2 * CELL, 2 * CELL)
    found = fit_normality(images, torch.zeros(count, 1, 16, 16), torch.ones(count, 2, 2, 2),
                          images if places else None)
    evidence = found.evidence(torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 16, 16),
                              torch.ones(1, 2, 2, 2))
    assert evidence.pixels.isfinite().all() and evidence.scores.isfinite().all()


@pytest.mark.parametrize("places", [True, False])
def test_saved_and_loaded_it_says_the_same(tmp_path, places):
    normality = fitted(30, places)
    normality.save(tmp_path / "normality.safetensors")
    again = Normality.load(tmp_path / "normality.safetensors")
    assert torch.equal(again.evidence(*good(4, seed=4)).scores,
                       normality.evidence(*good(4, seed=4)).scores)


@pytest.mark.parametrize("content", [None, b"", b"not a tensor"])
def test_missing_and_damaged_files_say_what_to_do(tmp_path, content):
    file = tmp_path / "normality.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HDMError, match=r"normality\.safetensors cannot be read .*ddm_train"):
        Normality.load(file)


def test_a_part_that_lies_a_little_elsewhere_is_no_stranger_than_what_was_shown():
    """A stripe at one column, two pixels off: strange unless such poses were shown as good."""
    images, logits, context = good(80)
    images[..., 12:15] += 1.0
    moved, moved_logits, moved_context = good(40, seed=7)
    moved[..., 14:17] += 1.0
    strict, lenient = (
        fit_normality(images, logits, context, posed).evidence(moved, moved_logits, moved_context)
        .scores.median() for posed in (images, images.roll(2, 3)))
    assert lenient < strict - 1
