"""Every pixel format arrives as it is; everything bad ends in one sentence."""

import contextlib
import hashlib
import io

import numpy as np
import pytest
from image_files import bmp_header, deep_png, encoded, pixels, png, tiff, write
from PIL import Image, ImageOps

from hdm.dataset.images import decode_image, pixel_hash, read_image, read_mask, to_float
from hdm.errors import DataError

GREY, RGB = pixels(1), pixels(2, channels=3)
GREY16, RGB16 = pixels(3, dtype=np.uint16), pixels(4, channels=3, dtype=np.uint16)


def same(data, expected):
    image = decode_image(data, "x")
    assert image.dtype == expected.dtype
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("container", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("image", [GREY, RGB], ids=["grey", "rgb"])
def test_lossless_8_bit_is_exact(container, image):
    same(encoded(image, container), image)


def test_jpeg_keeps_size_channels_and_level():
    flat = np.full((40, 56, 3), (200, 100, 50), np.uint8)
    image = decode_image(encoded(flat, "JPEG", quality=95), "x")
    assert image.shape == (40, 56, 3)
    assert np.abs(image.astype(int) - flat).max() <= 3
    assert decode_image(encoded(GREY, "JPEG"), "x").shape == GREY.shape


@pytest.mark.parametrize("data", [
    encoded(GREY16, "PNG"), tiff(GREY16, photometric="minisblack"),
    tiff(GREY16, photometric="minisblack", byteorder=">"),
    tiff(GREY16, photometric="minisblack", compression="zlib"), deep_png(GREY16),
], ids=["png", "tiff", "tiff big endian", "tiff deflate", "png by hand"])
def test_16_bit_grey_is_exact(data):
    same(data, GREY16)


@pytest.mark.parametrize(("mode", "shape"), [("RGBA", (2, 2, 3)), ("LA", (2, 2))])
def test_alpha_is_laid_on_black(mode, shape):
    bands = 4 if mode == "RGBA" else 2
    image = np.full((2, 2, bands), 200, np.uint8)
    image[0, 0, -1], image[0, 1, -1], image[1, :, -1] = 0, 128, 255
    found = decode_image(encoded(Image.fromarray(image, mode), "PNG"), "x")
    assert found.shape == shape
    assert np.unique(found[0, 0]) == 0
    assert np.unique(found[0, 1]) == round(200 * 128 / 255)
    assert np.unique(found[1, 1]) == 200


@pytest.mark.parametrize("container", ["WEBP", "AVIF"])
@pytest.mark.parametrize("quality", [50, 80, 95])
def test_grey_stays_grey_where_the_format_knows_colour_alone(container, quality):
    smooth = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) + 60
    found = decode_image(encoded(smooth, container, quality=quality), "x")
    assert found.shape == smooth.shape and np.abs(found.astype(int) - smooth).max() < 12
    coloured = np.dstack([smooth, smooth - 20, smooth])
    assert decode_image(encoded(coloured, container, quality=quality), "x").ndim == 3


def test_palette_becomes_rgb():
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([2, 0, 1])
    for container in ("PNG", "BMP"):
        same(encoded(image, container),
             np.array([[[70, 80, 90], [10, 20, 30], [40, 50, 60]]], np.uint8))


def test_transparent_palette_entry_becomes_black():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    found = decode_image(encoded(image, "PNG", transparency=0), "x")
    np.testing.assert_array_equal(found, [[[0, 0, 0], [40, 50, 60]]])


def test_one_bit_becomes_black_and_white():
    bits = GREY > 128
    for container in ("PNG", "TIFF", "BMP"):
        same(encoded(Image.fromarray(bits), container), bits.astype(np.uint8) * 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("container", ["PNG", "TIFF", "JPEG"])
def test_exif_orientation_is_applied(container, orientation):
    picture = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((8, 8), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture, container, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    same(data, np.asarray(expected))
    assert expected.size == ((24, 16) if orientation < 5 else (16, 24))


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (3, 257)])
def test_any_aspect(shape):
    image = np.arange(np.prod(shape), dtype=np.uint64).astype(np.uint8).reshape(shape)
    same(encoded(image, "PNG"), image)


BAD = {
    "empty": (b"", "an empty file"),
    "text": (b"this is not an image\n" * 50, "a text file"),
    "utf-8 text": ("это не картинка ".encode() * 60, "a text file"),
    "other": (bytes(range(128, 256)) * 8, "another kind of file"),
    "png bomb": (png(60_000, 60_000), "more than 178 megapixels"),
    "bmp bomb": (bmp_header(60_000, 60_000), "more than 178 megapixels"),
    "png cut": (encoded(GREY, "PNG")[:300], "truncated or damaged"),
    "jpeg cut": (encoded(pixels(9, 90, 90), "JPEG")[:-900], "truncated or damaged"),
    "tiff cut": (encoded(GREY, "TIFF")[:200], "truncated or damaged"),
    "bmp cut": (encoded(GREY, "BMP")[:-200], "truncated or damaged"),
    "png header only": (png(20, 20)[:33], "truncated or damaged"),
    "signature only": (b"\x89PNG\r\n\x1a\n", "truncated or damaged"),
    "float": (tiff(np.ones((4, 4), np.float32)), "found 32-bit floating point"),
    "gif cut": (encoded(GREY, "GIF")[:-9], "truncated or damaged"),
    "webp cut": (encoded(RGB, "WEBP")[:-9], "truncated or damaged"),
    "jpeg 2000 cut": (encoded(GREY, "JPEG2000")[:-9], "truncated or damaged"),
    "pgm cut": (encoded(GREY, "PPM")[:-9], "truncated or damaged"),
    "pgm bomb": (b"P5 60000 60000 65535\n", "more than 178 megapixels"),
    "pdf": (b"%PDF-1.7\n\xff\xfe" * 50, "another kind of file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_bytes_end_in_one_sentence(case):
    data, reason = BAD[case]
    with pytest.raises(DataError) as caught:
        decode_image(data, "line/part.png")
    message = str(caught.value)
    assert message.startswith("line/part.png: ") and reason in message
    assert "\n" not in message and message.endswith(".") and len(message) < 300


def test_every_cut_of_a_file_is_refused_or_read():
    for data in (encoded(RGB, "PNG"), encoded(RGB, "JPEG"), encoded(RGB, "BMP"), deep_png(RGB16)):
        for length in range(0, len(data) - 20, 37):
            with contextlib.suppress(DataError):
                assert decode_image(data[:length], "x").shape == (24, 32, 3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_flipped_bytes_never_escape_as_another_error():
    rng = np.random.default_rng(0)
    for data in (encoded(RGB, "PNG"), encoded(RGB, "JPEG"), encoded(GREY16, "TIFF"),
                 encoded(GREY, "BMP")):
        for _ in range(60):
            broken = bytearray(data)
            for position in rng.integers(0, min(len(data), 120), 3):
                broken[position] = rng.integers(256)
            with contextlib.suppress(DataError):
                decode_image(bytes(broken), "x")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"none\.png: .*no such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(DataError, match="cannot be opened"):
        read_image(tmp_path)


def test_non_ascii_and_long_names(tmp_path):
    for name in ("детáл-部品 ü.png", "n" * 240 + ".png"):
        np.testing.assert_array_equal(read_image(write(tmp_path / name, GREY)), GREY)


def test_a_name_that_is_not_utf_8_can_still_be_told():
    with pytest.raises(DataError) as caught:
        decode_image(b"", "a\udcff.png")
    assert str(caught.value).encode("utf-8").startswith(rb"a\udcff.png")


def test_mask_is_true_above_zero(tmp_path):
    values = np.array([[0, 1], [128, 255]], np.uint8)
    expected = [[False, True], [True, True]]
    np.testing.assert_array_equal(read_mask(write(tmp_path / "a.png", values)), expected)
    colour = np.zeros((2, 2, 3), np.uint8)
    colour[..., 2] = values
    np.testing.assert_array_equal(read_mask(write(tmp_path / "b.bmp", colour)), expected)


def test_jpeg_mask_ignores_compression_noise(tmp_path):
    marked = np.zeros((64, 64), np.uint8)
    marked[20:41, 13:30] = 255
    found = read_mask(write(tmp_path / "m.jpg", marked, quality=60))
    np.testing.assert_array_equal(found, marked > 0)


def test_to_float_spans_zero_to_one():
    for kind in (np.uint8, np.uint16):
        top = np.iinfo(kind).max
        values = to_float(np.array([[0, top // 5, top]], kind))
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, [[0, 0.2, 1]], rtol=1e-6)
    with pytest.raises(DataError, match="float64"):
        to_float(np.zeros((2, 2)))


def test_hash_follows_pixels_not_files():
    as_png, as_bmp = (decode_image(encoded(RGB, kind), "x") for kind in ("PNG", "BMP"))
    assert pixel_hash(as_png) == pixel_hash(as_bmp) != pixel_hash(GREY)
    assert pixel_hash(GREY) != pixel_hash(GREY.reshape(32, 24))
    assert pixel_hash(GREY) != pixel_hash(GREY.astype(np.uint16))
    assert pixel_hash(np.array([[1, 2, 3]], ">u2")) == \
        hashlib.sha256(b"(1, 3)2" + b"\1\0\2\0\3\0").hexdigest()
