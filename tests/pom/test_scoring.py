"""Image scores from pixel logits."""

import pytest
import torch

from hdm.pom.scoring import FILTER_SHARE, TOP_SHARE, image_scores


def test_constant_map_scores_its_value():
    for shape in ((1, 1, 8, 8), (3, 1, 64, 48), (1, 1, 1, 1), (1, 1, 2, 300)):
        scores = image_scores(torch.full(shape, -2.5), shape[-2:])
        assert scores.tolist() == pytest.approx([-2.5] * shape[0])


def test_score_is_the_mean_of_the_top_share():
    """Two plateaus far wider than the filter: the top 0.2 % lies in the higher one."""
    logits = torch.full((1, 1, 128, 128), -5.0)
    logits[..., 20:60, 20:60] = 3.0
    assert image_scores(logits, (128, 128)).item() == pytest.approx(3.0)


def test_a_single_pixel_is_smoothed_over_the_window():
    side = 128
    window = max(3, 2 * round(side * FILTER_SHARE / 2) + 1)
    logits = torch.zeros(1, 1, side, side)
    logits[..., 64, 64] = 10.0
    top = int(TOP_SHARE * side * side)
    expected = 10 / window**2 * min(1, window**2 / top)
    assert image_scores(logits, (side, side)).item() == pytest.approx(expected, rel=1e-4)


def test_scores_rise_with_any_logit_and_ignore_other_images():
    logits = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    before = image_scores(logits, (32, 32))
    logits[2, :, 10:16, 10:16] += 5
    after = image_scores(logits, (32, 32))
    assert after[2] > before[2] and torch.equal(after[[0, 1, 3]], before[[0, 1, 3]])


def test_a_defect_counts_alike_on_one_tile_and_on_an_image_of_many():
    stain = torch.zeros(1, 1, 64, 64)
    stain[..., 20:30, 20:30] = 4.0
    wide = torch.nn.functional.pad(stain, (0, 256, 128, 0))
    assert image_scores(wide, (64, 64)).item() == pytest.approx(
        image_scores(stain, (64, 64)).item())
    assert image_scores(wide, (192, 320)).item() < 3.0, "by the whole image it would be diluted"
