"""An alpha of 0 everywhere was not used by its writer; any other is laid on black."""

import numpy as np
import pytest
from image_files import bmp32, deep_png, encoded, pixels, tiff
from PIL import Image

from hdm.dataset.images import decode_image

GREY, RGB = pixels(1), pixels(2, channels=3)
GREY16, RGB16 = pixels(3, dtype=np.uint16), pixels(4, channels=3, dtype=np.uint16)


def with_alpha(colour, alpha):
    return np.dstack([colour, np.broadcast_to(alpha, colour.shape[:2]).astype(colour.dtype)])


def grey_alpha_png(colour, alpha):
    return encoded(Image.fromarray(with_alpha(colour, alpha), "LA"), "PNG")


WRITERS = {
    "bmp": (RGB, bmp32),
    "png": (RGB, lambda colour, alpha: encoded(with_alpha(colour, alpha), "PNG")),
    "png grey": (GREY, grey_alpha_png),
    "png 16": (RGB16, lambda colour, alpha: deep_png(with_alpha(colour, alpha))),
    "png grey 16": (GREY16, lambda colour, alpha: deep_png(with_alpha(colour, alpha))),
    "webp": (RGB, lambda colour, alpha: encoded(with_alpha(colour, alpha), "WEBP", lossless=True,
                                                exact=True)),
    "tiff": (RGB, lambda colour, alpha: tiff(
        with_alpha(colour, alpha), photometric="rgb", extrasamples=["unassalpha"])),
    "tiff 16": (RGB16, lambda colour, alpha: tiff(
        with_alpha(colour, alpha), photometric="rgb", extrasamples=["unassalpha"])),
    "tiff grey": (GREY, lambda colour, alpha: tiff(
        with_alpha(colour, alpha), photometric="minisblack", extrasamples=["unassalpha"])),
    "jpeg 2000": (RGB, lambda colour, alpha: encoded(with_alpha(colour, alpha), "JPEG2000")),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_alpha_of_0_everywhere_is_none(writer):
    colour, write = WRITERS[writer]
    found = decode_image(write(colour, 0), "x")
    assert found.dtype == colour.dtype
    np.testing.assert_array_equal(found, colour)


@pytest.mark.parametrize("writer", WRITERS)
def test_full_alpha_leaves_the_colours(writer):
    colour, write = WRITERS[writer]
    np.testing.assert_array_equal(decode_image(write(colour, np.iinfo(colour.dtype).max), "x"),
                                  colour)


@pytest.mark.parametrize("writer", WRITERS)
def test_partly_clear_images_are_laid_on_black(writer):
    colour, write = WRITERS[writer]
    alpha = np.zeros(colour.shape[:2], int)
    alpha[3, 5] = np.iinfo(colour.dtype).max
    expected = np.zeros_like(colour)
    expected[3, 5] = colour[3, 5]
    np.testing.assert_array_equal(decode_image(write(colour, alpha), "x"), expected)


def test_a_bmp_whose_header_names_no_alpha_is_opaque():
    for fourth in (0, 7, 255):
        np.testing.assert_array_equal(decode_image(bmp32(RGB, fourth, masks=False), "x"), RGB)
