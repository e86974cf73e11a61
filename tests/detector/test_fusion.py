"""Kinds of evidence in one unit, and the score they give."""

import pytest
import torch

from hdm.detector.evidence import scan, worst
from hdm.detector.fusion import Fusion

CANVAS = (32, 32)
FUSION = Fusion(torch.tensor([1.0, -2.0]).view(2, 1, 1), torch.tensor([0.5, 4.0]),
                torch.tensor([0.25, 0.75]),
                torch.tensor([0.0, 1.0]), torch.tensor([[0.1], [2.0]]))
TILED = Fusion(FUSION.centre, FUSION.unit, FUSION.weight, torch.tensor([0.3, 0.7]),
               torch.tensor([[0.1, 0.2, 0.3], [2.0, 0.5, 0.4]]))


def maps(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 2, 32, 32, generator=torch.Generator().manual_seed(0))


def test_kinds_are_added_in_their_units_at_each_pixel():
    shown = maps()
    expected = 0.25 * (shown[:, :1] - 1) / 0.5 + 0.75 * (shown[:, 1:] + 2) / 4
    torch.testing.assert_close(FUSION.pixels(shown), expected)


def test_the_score_of_a_whole_image_is_of_its_oddest_pixels():
    found = FUSION.evidence(maps(), CANVAS)
    torch.testing.assert_close(found.scores, (worst(found.pixels) - 0.1) / 2)
    assert found.scores.shape == (3,)


def test_of_tiles_the_oddest_window_speaks():
    found = TILED.evidence(maps(), CANVAS)
    windows = (scan(found.pixels, CANVAS, TILED.pixel) - TILED.expected[0]) / TILED.expected[1]
    torch.testing.assert_close(found.scores, windows.amax(1))


@pytest.mark.parametrize("kind", [0, 1])
def test_scores_rise_with_evidence_of_any_kind_and_ignore_other_images(kind):
    shown = maps()
    before = FUSION.evidence(shown, CANVAS).scores
    shown[1, kind, 4:10, 4:10] += 20
    after = FUSION.evidence(shown, CANVAS).scores
    assert after[1] > before[1] and torch.equal(after[[0, 2]], before[[0, 2]])


@pytest.mark.parametrize("fusion", [FUSION, TILED])
def test_taken_apart_and_put_together_it_is_the_same(fusion):
    again = Fusion.of(fusion.tensors())
    assert torch.equal(again.evidence(maps(), CANVAS).scores,
                       fusion.evidence(maps(), CANVAS).scores)
