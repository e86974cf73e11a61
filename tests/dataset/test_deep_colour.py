"""16-bit colour arrives with all of its bits, and no part of a damaged file does."""

import numpy as np
import pytest
from image_files import deep_png, pixels, png, tiff

from hdm.dataset.images import decode_image
from hdm.errors import DataError

RGB16, RGBA16 = (pixels(seed, channels=seed, dtype=np.uint16) for seed in (3, 4))


def same(data, expected):
    image = decode_image(data, "x")
    assert image.dtype == expected.dtype
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("options", [
    {}, {"byteorder": ">"}, {"compression": "zlib"}, {"rowsperstrip": 5}, {"tile": (16, 16)},
    {"compression": "zlib", "byteorder": ">"}], ids=str)
def test_16_bit_rgb_tiff_is_exact(options):
    same(tiff(RGB16, photometric="rgb", **options), RGB16)


def test_16_bit_rgb_tiff_in_planes_is_exact():
    planes = np.moveaxis(RGB16, -1, 0)
    same(tiff(planes, photometric="rgb", planarconfig="separate"), RGB16)


def test_16_bit_rgb_png_is_exact():
    same(deep_png(RGB16), RGB16)


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bit_alpha_is_laid_on_black(channels):
    image = pixels(5, channels=channels, dtype=np.uint16)
    colour, alpha = image[..., :-1].astype(float), image[..., -1:].astype(float)
    expected = np.rint(colour * alpha / 65535)
    found = decode_image(deep_png(image), "x")
    assert found.dtype == np.uint16
    assert np.abs(found.reshape(expected.shape) - expected).max() <= 1
    assert found.ndim == (2 if channels == 2 else 3)


@pytest.mark.parametrize("planes", [False, True])
def test_16_bit_colours_multiplied_by_their_alpha_stay_as_they_are(planes):
    image = pixels(5, channels=4, dtype=np.uint16)
    data = tiff(np.moveaxis(image, -1, 0) if planes else image, photometric="rgb",
                planarconfig="separate" if planes else "contig", extrasamples=["assocalpha"])
    same(data, image[..., :3])


@pytest.mark.parametrize("planes", [False, True])
def test_orientation_of_16_bit_rgb_tiff_is_applied(planes):
    stored = np.moveaxis(RGB16, -1, 0) if planes else RGB16
    data = tiff(stored, photometric="rgb", planarconfig="separate" if planes else "contig",
                extratags=[(274, "H", 1, 6, True)])
    same(data, np.rot90(RGB16, -1))


BAD = {
    "png cut": (deep_png(RGB16)[:900], "truncated or damaged"),
    "png of half its rows": (png(32, 24, 16, 2, bytes(12 * (1 + 32 * 6))), "truncated or damaged"),
    "png without its end": (deep_png(RGB16)[:-12], "truncated or damaged"),
    "tiff cut": (tiff(RGB16, photometric="rgb", rowsperstrip=5)[:-9], "truncated or damaged"),
    "cmyk": (tiff(RGBA16, photometric="separated"), "16-bit CMYK"),
}


@pytest.mark.parametrize("case", BAD)
def test_damage_is_refused(case):
    data, reason = BAD[case]
    with pytest.raises(DataError, match=rf"^x: .*{reason}"):
        decode_image(data, "x")


@pytest.mark.parametrize("data", [
    deep_png(RGB16), tiff(RGB16, photometric="rgb", compression="zlib", rowsperstrip=5)],
    ids=["png", "tiff"])
def test_no_cut_is_read(data):
    for length in range(0, len(data), 37):
        with pytest.raises(DataError):
            decode_image(data[:length], "x")
