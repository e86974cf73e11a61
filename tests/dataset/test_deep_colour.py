"""16-bit colour arrives with all of its bits, and no part of a damaged file does."""

import cv2
import numpy as np
import pytest
from image_files import deep_png, encoded, pixels, png, tiff

from hdm.dataset.images import decode_image
from hdm.errors import DataError

RGB16, GREY16 = pixels(3, channels=3, dtype=np.uint16), pixels(6, dtype=np.uint16)
RGB16_LARGE = pixels(7, 80, 96, 3, np.uint16)


def jpeg2000(image):
    """Without loss, as OpenCV writes it."""
    quality = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    return cv2.imencode(".jp2", image[..., ::-1], quality)[1].tobytes()


def ppm(image, highest):
    """Raw PGM or PPM of two bytes a sample."""
    kind = "P5" if image.ndim == 2 else "P6"
    return f"{kind}\n# camera 3\n{image.shape[1]} {image.shape[0]}\n{highest}\n".encode() \
        + image.astype(">u2").tobytes()


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


def test_16_bit_jpeg_2000_is_exact():
    same(jpeg2000(RGB16_LARGE), RGB16_LARGE)
    same(encoded(GREY16, "JPEG2000"), GREY16)
    same(encoded(GREY16, "JPEG2000", no_jp2=True), GREY16)


@pytest.mark.parametrize("highest", [300, 1023, 4095, 65535])
@pytest.mark.parametrize("image", [GREY16, RGB16], ids=["grey", "rgb"])
def test_values_of_pgm_and_ppm_stay_as_they_are(image, highest):
    values = (image.astype(int) * highest // 65535).astype(np.uint16)
    same(ppm(values, highest), values)
    text = ppm(values, highest).split(b"\n", 1)[1][:-values.nbytes]
    plain = " ".join(map(str, values.ravel())).encode()
    same((b"P2\n" if image.ndim == 2 else b"P3\n") + text + b"# row 1\n" + plain, values)


def test_16_bit_ppm_as_opencv_writes_it():
    same(cv2.imencode(".ppm", RGB16[..., ::-1])[1].tobytes(), RGB16)


def test_fewer_than_8_bits_of_pgm_fill_the_range():
    values = pixels(8) >> 4
    same(b"P5 32 24 15\n" + values.tobytes(), values * 17)


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
    "jpeg 2000 cut": (jpeg2000(RGB16_LARGE)[:-40], "truncated or damaged"),
    "ppm cut": (ppm(RGB16, 65535)[:-1], "2303 of 2304 values"),
    "pgm of values too high": (ppm(GREY16, 1023), "values above the stated maximum of 1023"),
    "png of a wrong checksum": (deep_png(RGB16)[:-17] + bytes(1) + deep_png(RGB16)[-16:],
                                "wrong checksum of the chunk IDAT"),
}


@pytest.mark.parametrize("case", BAD)
def test_damage_is_refused(case):
    data, reason = BAD[case]
    with pytest.raises(DataError, match=rf"^x: .*{reason}"):
        decode_image(data, "x")


@pytest.mark.parametrize("data", [
    deep_png(RGB16), tiff(RGB16, photometric="rgb", compression="zlib", rowsperstrip=5),
    jpeg2000(RGB16_LARGE), ppm(RGB16, 65535)], ids=["png", "tiff", "jp2", "ppm"])
def test_no_cut_is_read(data):
    for length in range(0, len(data), 37):
        with pytest.raises(DataError):
            decode_image(data[:length], "x")
