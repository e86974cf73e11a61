"""Each format x kind of pixels is equal to the reference or refused by what it is."""

import cv2
import numpy as np
import pytest
from image_files import chunk, deep_png, encoded, pixels, png, tiff, with_chunk
from PIL import Image

from hdm.dataset.images import (
    FORMATS,
    KINDS,
    MAX_PIXELS,
    SUFFIXES,
    UnreadableImage,
    claimed_pixels,
    decode_image,
    read_image,
)

GREY, RGB = pixels(1), pixels(2, channels=3)
GREY16, RGB16 = pixels(3, dtype=np.uint16), pixels(4, channels=3, dtype=np.uint16)
SMOOTH = np.stack([np.add.outer(np.arange(80), np.arange(96)) // step + 40
                   for step in (1, 2, 3)], axis=-1).astype(np.uint8)
BITS = GREY > 127
BLACK_WHITE = BITS.astype(np.uint8) * 255
PALETTE = Image.fromarray(GREY, "P")
PALETTE.putpalette(pixels(6, 256, 3).ravel().tolist())
LOOKED_UP = np.asarray(PALETTE.convert("RGB"))
INKS = Image.fromarray(SMOOTH).convert("CMYK")
FLOAT = (GREY / 255).astype(np.float32)


TABLE = {  # (format, pixels): file, what is read or why not, largest difference
    ("PNG", "1"): (encoded(BITS, "PNG"), BLACK_WHITE, 0),
    ("PNG", "grey 8"): (encoded(GREY, "PNG"), GREY, 0),
    ("PNG", "rgb 8"): (encoded(RGB, "PNG"), RGB, 0),
    ("PNG", "palette"): (encoded(PALETTE, "PNG"), LOOKED_UP, 0),
    ("PNG", "grey 16"): (deep_png(GREY16), GREY16, 0),
    ("PNG", "rgb 16"): (deep_png(RGB16), RGB16, 0),
    ("PNG", "frames"): (encoded(Image.fromarray(GREY), "PNG", save_all=True,
                                append_images=[Image.fromarray(255 - GREY)] * 2),
                        "an animation of 3 frames", 0),
    ("JPEG", "grey 8"): (encoded(SMOOTH[..., 0], "JPEG", quality=98), SMOOTH[..., 0], 2),
    ("JPEG", "rgb 8"): (encoded(SMOOTH, "JPEG", quality=100, subsampling=0), SMOOTH, 3),
    ("JPEG", "cmyk 8"): (encoded(INKS, "JPEG", quality=100), SMOOTH, 2),
    ("MPO", "rgb 8"): (encoded(Image.fromarray(SMOOTH), "MPO", save_all=True, quality=100,
                               subsampling=0, append_images=[Image.fromarray(RGB)]), SMOOTH, 3),
    ("BMP", "1"): (encoded(BITS, "BMP"), BLACK_WHITE, 0),
    ("BMP", "grey 8"): (encoded(GREY, "BMP"), GREY, 0),
    ("BMP", "rgb 8"): (encoded(RGB, "BMP"), RGB, 0),
    ("BMP", "palette"): (encoded(PALETTE, "BMP"), LOOKED_UP, 0),
    ("DIB", "grey 8"): (encoded(GREY, "DIB"), GREY, 0),
    ("DIB", "rgb 8"): (encoded(RGB, "DIB"), RGB, 0),
    ("GIF", "grey 8"): (encoded(GREY, "GIF"), GREY, 0),
    ("GIF", "palette"): (encoded(PALETTE, "GIF"), LOOKED_UP, 0),
    ("GIF", "frames"): (encoded(Image.fromarray(GREY), "GIF", save_all=True,
                                append_images=[Image.fromarray(255 - GREY)]),
                        "an animation of 2 frames", 0),
    ("WEBP", "rgb 8"): (encoded(RGB, "WEBP", lossless=True), RGB, 0),
    ("WEBP", "grey 8"): (encoded(GREY, "WEBP", lossless=True), GREY, 0),
    ("WEBP", "rgb 8 lossy"): (cv2.imencode(".webp", SMOOTH[..., ::-1])[1].tobytes(), SMOOTH, 2),
    ("WEBP", "frames"): (encoded(Image.fromarray(GREY), "WEBP", save_all=True,
                                 append_images=[Image.fromarray(255 - GREY)]),
                         "an animation of 2 frames", 0),
    ("JPEG2000", "grey 8"): (encoded(GREY, "JPEG2000"), GREY, 0),
    ("JPEG2000", "rgb 8"): (encoded(RGB, "JPEG2000"), RGB, 0),
    ("JPEG2000", "grey 16"): (encoded(GREY16, "JPEG2000"), GREY16, 0),
    ("AVIF", "grey 8"): (encoded(SMOOTH[..., 0], "AVIF", quality=100), SMOOTH[..., 0], 2),
    ("AVIF", "rgb 8"): (encoded(SMOOTH, "AVIF", quality=100, subsampling="4:4:4"), SMOOTH, 2),
    ("AVIF", "frames"): (encoded(Image.fromarray(SMOOTH), "AVIF", save_all=True,
                                 append_images=[Image.fromarray(255 - SMOOTH)] * 3),
                         "an animation of 4 frames", 0),
    ("PPM", "1"): (encoded(BITS, "PPM"), BLACK_WHITE, 0),
    ("PPM", "grey 8"): (encoded(GREY, "PPM"), GREY, 0),
    ("PPM", "rgb 8"): (encoded(RGB, "PPM"), RGB, 0),
    ("PPM", "grey 16"): (encoded(GREY16, "PPM"), GREY16, 0),
    ("PPM", "float 32"): (encoded(FLOAT, "PPM"), "32-bit floating point", 0),
    ("TIFF", "1"): (encoded(BITS, "TIFF"), BLACK_WHITE, 0),
    ("TIFF", "grey 8"): (encoded(GREY, "TIFF"), GREY, 0),
    ("TIFF", "rgb 8"): (encoded(RGB, "TIFF"), RGB, 0),
    ("TIFF", "palette"): (encoded(PALETTE, "TIFF"), LOOKED_UP, 0),
    ("TIFF", "grey 16"): (encoded(GREY16, "TIFF"), GREY16, 0),
    ("TIFF", "rgb 16"): (tiff(RGB16, photometric="rgb"), RGB16, 0),
    ("TIFF", "float 32"): (encoded(FLOAT, "TIFF"), "32-bit floating point", 0),
    ("TIFF", "cmyk 8"): (encoded(INKS, "TIFF"), SMOOTH, 2),
}


@pytest.mark.parametrize("cell", TABLE, ids="-".join)
def test_a_cell_is_equal_or_refused(cell):
    data, expected, difference = TABLE[cell]
    if isinstance(expected, str):
        with pytest.raises(UnreadableImage) as caught:
            decode_image(data, "x")
        assert caught.value.reason.startswith(expected)
    else:
        found = decode_image(data, "x")
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        assert np.abs(found.astype(int) - expected).max() <= difference


def test_the_content_decides_not_the_suffix(tmp_path):
    for name, container in (("a.jpg", "PNG"), ("b.png", "BMP"), ("c.bmp", "TIFF")):
        (tmp_path / name).write_bytes(encoded(GREY, container))
        np.testing.assert_array_equal(read_image(tmp_path / name), GREY)


def test_suffixes_and_formats_are_one_list():
    kinds = {**Image.registered_extensions(), ".mpo": "JPEG"}
    assert {kinds[suffix] for suffix in SUFFIXES} == set(FORMATS)
    # Floating point and animations are no pictures.
    assert {suffix for suffix, kind in kinds.items() if kind in FORMATS} - SUFFIXES == \
        {".pfm", ".avifs"}
    for name in ("PNG", "JPEG", "TIFF", "BMP", "WebP", "JPEG 2000", "AVIF", "GIF"):
        assert name in KINDS


@pytest.mark.parametrize("container", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_claimed_pixels_are_those_of_the_header(container):
    data = encoded(RGB, container)
    assert claimed_pixels(data) == 24 * 32
    assert claimed_pixels(data[:9]) == 0


def test_claimed_pixels_of_odd_and_hostile_files():
    text = chunk(b"tEXt", b"a\0b")[:-4] + bytes(4)
    assert claimed_pixels(with_chunk(png(3000, 2000), text)) == 6_000_000
    assert claimed_pixels(png(60_000, 60_000)) > MAX_PIXELS
    assert claimed_pixels(b"") == claimed_pixels(b"a text") == 0
