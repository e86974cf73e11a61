"""What an image's score is made of, in closed form."""

import pytest
import torch

from hdm.detector.evidence import WINDOWS, largest_mean, moments, scan, standard, worst

CANVAS = (128, 128)
WINDOW = WINDOWS[1]
PIXEL = torch.tensor([0.0, 1.0])


def square(side: int, height: float) -> torch.Tensor:
    """A plateau in the middle of nothing, (1, 1, 128, 128)."""
    pixels = torch.zeros(1, 1, 128, 128)
    first = 64 - side // 2
    pixels[..., first:first + side, first:first + side] = height
    return pixels


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 1, 64, 48), (1, 1, 1, 1), (1, 1, 2, 300)])
def test_a_constant_map_is_its_own_mean(shape):
    constant = torch.full(shape, -2.5)
    torch.testing.assert_close(worst(constant), torch.full((shape[0],), -2.5))
    found = scan(constant, (shape[-2], shape[-1]), torch.tensor([-2.5, 3.0]))
    torch.testing.assert_close(found, torch.tensor([[-2.5, 0.5, 0.5]]).expand(shape[0], 3))


def test_the_worst_pixels_are_one_in_two_hundred_wherever_they_lie():
    """By hand: 82 of 16,384 pixels, of which 9 or 25 have a height."""
    assert worst(square(3, 2.0)).item() == pytest.approx(9 * 2 / 82)
    assert worst(square(5, 2.0)).item() == pytest.approx(25 * 2 / 82)
    assert worst(square(41, 2.0)).item() == 2
    apart = torch.zeros(2, 1, 10, 10)
    apart[0, 0, 3, 7], apart[1, 0, 0, 0], apart[1, 0, 9, 9] = 5.0, 2.0, 3.0
    assert worst(apart).tolist() == [5.0, 3.0]


def test_the_window_of_a_canvas_of_128_has_9_pixels_a_side():
    for side, expected in [(3, 9 / 81), (9, 1), (33, 1)]:
        assert largest_mean(square(side, 1.0), CANVAS, WINDOW).item() == pytest.approx(expected)
    sides = {min(canvas): largest_mean(square(1, 1.0), canvas, WINDOW).rsqrt().item()
             for canvas in [(64, 128), (128, 256), (512, 256)]}
    assert sides == pytest.approx({64: 5, 128: 9, 256: 17}), "a sixteenth of the shorter side"


def test_small_windows_ask_how_odd_and_large_ones_how_many():
    """A peak fills the small window, and of a large one no more than its own place."""
    peak, stain = (scan(square(side, height), CANVAS, PIXEL)[0]
                   for side, height in [(3, 50.0), (33, 3.0)])
    assert peak[0] == pytest.approx(50) and stain[0] == pytest.approx(3)
    odd = torch.sigmoid(torch.tensor(3.0)).item()
    assert stain[1:].tolist() == pytest.approx([odd, odd])
    assert peak[2].item() == pytest.approx(0.5 + 0.5 * 9 / 33**2, abs=1e-4)


def test_each_image_is_scanned_for_itself():
    pixels = torch.randn(4, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    before = scan(pixels, CANVAS, PIXEL)
    pixels[2, :, 10:26, 10:26] += 5
    after = scan(pixels, CANVAS, PIXEL)
    assert (after[2] > before[2]).all() and torch.equal(after[[0, 1, 3]], before[[0, 1, 3]])


def test_a_window_is_as_large_on_one_tile_as_on_an_image_of_many():
    stain = torch.zeros(1, 1, 64, 64)
    stain[..., 20:23, 20:23] = 4.0
    wide = torch.nn.functional.pad(stain, (0, 256, 128, 0))
    one, many = (largest_mean(image, (64, 64), WINDOW) for image in (stain, wide))
    torch.testing.assert_close(many, one)
    assert largest_mean(wide, (192, 320), WINDOW) < one, "by the whole image it is diluted"


def test_moments_of_all_values_and_by_column():
    values = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    assert moments(values).tolist() == [[2.0, 20.0], [1.0, 10.0]]
    assert moments(values[:, 0]).tolist() == [2.0, 1.0]
    torch.testing.assert_close(standard(values, moments(values)),
                               torch.tensor([[-1.0, -1.0], [1.0, 1.0]]))
