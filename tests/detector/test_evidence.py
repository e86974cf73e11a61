"""Image scores from evidence at each pixel."""

import pytest
import torch

from hdm.detector.evidence import WINDOWS, Evidence, Expected, largest_mean, moments, scan, standard

PIXEL = torch.tensor([0.0, 1.0])
CANVAS = (128, 128)


def evidence(pixels: torch.Tensor, expected: Expected) -> Evidence:
    return Evidence(pixels, torch.zeros(len(pixels)), CANVAS, expected)


def square(side: int, height: float) -> torch.Tensor:
    """A plateau in the middle of nothing, (1, 1, 128, 128)."""
    pixels = torch.zeros(1, 1, 128, 128)
    first = 64 - side // 2
    pixels[..., first:first + side, first:first + side] = height
    return pixels


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 1, 64, 48), (1, 1, 1, 1), (1, 1, 2, 300)])
def test_a_constant_map_is_its_own_mean(shape):
    for side in WINDOWS:
        found = largest_mean(torch.full(shape, -2.5), (shape[-2], shape[-1]), side)
        torch.testing.assert_close(found, torch.full(shape[:1], -2.5))


def test_windows_of_a_canvas_of_128_have_3_9_and_33_pixels():
    for side, expected in [(3, (1, 9 / 81, 9 / 1089)), (9, (1, 1, 81 / 1089)), (33, (1, 1, 1))]:
        found = [largest_mean(square(side, 1.0), CANVAS, window).item() for window in WINDOWS]
        assert found == pytest.approx(expected)


def test_larger_windows_ask_how_many_pixels_are_odd_and_not_how_odd():
    """By hand: of 1,089 pixels nine are odd for certain, all others as good ones (sigmoid 1/2)."""
    found = [scan(square(3, height), CANVAS, PIXEL)[0].tolist() for height in (50.0, 500.0)]
    assert found[0][1:] == pytest.approx([(9 + 72 / 2) / 81, (9 + 1080 / 2) / 1089])
    assert found[1] == pytest.approx([500.0, *found[0][1:]])


def test_the_size_speaks_that_is_odd_among_good_images():
    """A pale stain that no pinhole's window would notice, and a pinhole that no large one would."""
    expected = Expected(PIXEL, torch.tensor([[2.0, 0.6, 0.5], [1.0, 0.1, 0.01]]))
    stain, pinhole = square(41, 0.5), square(3, 9.0)
    share = torch.sigmoid(torch.tensor(0.5)).item()
    assert evidence(stain, expected).scores.item() == pytest.approx((share - 0.5) / 0.01, rel=1e-4)
    assert evidence(pinhole, expected).scores.item() == pytest.approx(9.0 - 2.0)


def test_what_is_odd_about_the_whole_adds():
    expected = Expected(PIXEL, torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]))
    found = evidence(square(9, 2.0), expected)._replace(image_level=torch.tensor([0.25]))
    assert found.scores.item() == pytest.approx(2.25)


def test_scores_rise_with_any_evidence_and_ignore_other_images():
    pixels = torch.randn(4, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    expected = Expected(PIXEL, moments(scan(pixels, CANVAS, PIXEL)))
    before = evidence(pixels, expected).scores
    pixels[2, :, 10:16, 10:16] += 5
    after = evidence(pixels, expected).scores
    assert after[2] > before[2] and torch.equal(after[[0, 1, 3]], before[[0, 1, 3]])


def test_a_defect_counts_alike_on_one_tile_and_on_an_image_of_many():
    stain = torch.zeros(1, 1, 64, 64)
    stain[..., 20:30, 20:30] = 4.0
    wide = torch.nn.functional.pad(stain, (0, 256, 128, 0))
    torch.testing.assert_close(scan(wide, (64, 64), PIXEL), scan(stain, (64, 64), PIXEL))
    assert largest_mean(wide, (192, 320), WINDOWS[1]) < 3.0, "by the whole image it is diluted"


def test_moments_of_all_values_and_by_column():
    values = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    assert moments(values).tolist() == [[2.0, 20.0], [1.0, 10.0]]
    assert moments(values[:, 0]).tolist() == [2.0, 1.0]
    torch.testing.assert_close(standard(values, moments(values)),
                               torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
