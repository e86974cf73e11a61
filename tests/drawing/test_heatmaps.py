"""Pictures: one fixed colour scale, honest outlines, any depth and aspect."""

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from hdm.drawing.heatmaps import (
    GAP,
    OUTLINE,
    PANEL,
    Card,
    colour_bar,
    colours,
    font,
    for_display,
    outlined,
    sheet,
    shortened,
    strip,
)

HEAT = 2 * (PANEL + GAP)


def card(name="test/bent/001.png", wrong=False):
    picture = strip(np.zeros((32, 32), np.uint8), None, np.zeros((32, 32), np.uint8), False)
    return Card(picture, name, "good, passed · score 0.1 ≤ threshold 0.5", wrong)


def test_the_scale_goes_from_zero_to_one():
    table = colours(np.array([[0, 255]], np.uint8))[0]
    expected = np.array(colormaps["inferno"]([0, 255]))[:, :3] * 255
    assert np.abs(table - expected).max() <= 0.5


def test_the_scale_is_perceptually_even():
    """Brightness never falls from one value to the next."""
    table = colours(np.arange(256, dtype=np.uint8)[None])[0].astype(float)
    assert (np.diff(table @ (0.2126, 0.7152, 0.0722)) > -0.6).all()


def test_the_same_value_has_the_same_colour_in_every_image():
    image = np.full((64, 64), 128, np.uint8)
    faint = np.full((64, 64), 20, np.uint8)
    faint[:8, :8] = 77
    strong = np.full((64, 64), 77, np.uint8)
    strong[:8, :8] = 255
    one, two = (np.array(strip(image, None, heat, True)) for heat in (faint, strong))
    assert (one[5, HEAT + 5] == two[200, HEAT + 200]).all()
    assert (one[5, HEAT + 5] == colours(np.uint8([[77]]))[0, 0]).all()


def test_a_faint_map_stays_dark():
    """Nothing is stretched to the image's own range."""
    heat = np.array(strip(np.zeros((64, 64), np.uint8), None, np.full((64, 64), 3, np.uint8),
                          False))[:, HEAT:]
    assert heat.max() < 15


def test_eight_bit_grey_and_colour_are_shown_as_they_are():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (np.array(for_display(grey)) == grey[..., None]).all()
    colour = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    assert (np.array(for_display(colour)) == colour).all()


def test_sixteen_bit_images_use_the_whole_range():
    deep = np.linspace(1000, 5000, 10_000).reshape(100, 100).astype(np.uint16)
    shown = np.array(for_display(deep))
    assert (shown.min(), shown.max()) == (0, 255)
    assert int(shown[50, 0, 0]) == pytest.approx(127, abs=2)
    assert np.array(for_display(np.full((8, 8), 7, np.uint16))).shape == (8, 8, 3)
    assert for_display(np.zeros((8, 8, 3), np.uint16)).mode == "RGB"


def test_the_outline_surrounds_the_defect_and_leaves_it_visible():
    mask = np.zeros((100, 100), dtype=bool)
    mask[40:60, 40:60] = True
    shown = np.array(outlined(Image.new("RGB", (100, 100), (90, 90, 90)), mask))
    green = (shown == OUTLINE).all(axis=2)
    assert green.any()
    assert not green[mask].any()
    assert (shown[mask] == 90).all()
    rows, columns = np.nonzero(green)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (38, 61, 38, 61)


@pytest.mark.parametrize("side", [2000, 50])
def test_a_defect_of_one_pixel_is_outlined_at_any_size(side):
    mask = np.zeros((side, side), dtype=bool)
    mask[side // 2, side // 3] = True
    shown = np.array(outlined(Image.new("RGB", (208, 208)), mask))
    assert (shown == OUTLINE).all(axis=2).any()


@pytest.mark.parametrize("shape", [(32, 32), (40, 900), (900, 40), (1, 1), (3, 700)])
def test_any_aspect_fits_its_panel(shape):
    mask = np.zeros(shape, dtype=bool)
    mask[0, 0] = True
    picture = strip(np.zeros(shape, np.uint8), mask, np.full(shape, 255, np.uint8), True)
    assert picture.size == (3 * PANEL + 2 * GAP, PANEL)


def test_what_is_missing_is_said_on_the_picture():
    image, heat = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    good, unmasked = strip(image, None, heat, False), strip(image, None, heat, True)
    assert np.array(good).tobytes() != np.array(unmasked).tobytes()


def test_a_sheet_holds_all_cards_in_two_columns():
    small, large = (sheet("Escapes", "1 image", [card()] * n) for n in (1, 5))
    assert small.width == large.width
    assert large.height - small.height == 2 * (sheet("", "", [card()] * 3).height - small.height)


def test_the_sheet_shows_the_colour_bar():
    page, bar = np.array(sheet("Good", "", [card()])), np.array(colour_bar())
    corner = page[18:18 + bar.shape[0], -24 - bar.shape[1]:-24]
    assert (corner == bar).all()


def test_long_and_foreign_names_fit():
    name = "test/kratzer/" + "ñ漢字_" * 80 + "001.png"
    short = shortened(name, 300, 13)
    assert font(13).getlength(short) <= 300
    assert short.startswith("test/")
    assert short.endswith(".png")
    assert shortened("001.png", 300, 13) == "001.png"
    sheet("Escapes", "", [card(name, wrong=True)])
