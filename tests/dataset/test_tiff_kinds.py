"""Any layout of a TIFF arrives exactly; what is not read is named by what it is."""

import io

import cv2
import numpy as np
import pytest
import tifffile
from image_files import encoded, packed_tiff, pixels, tiff
from PIL import Image

from hdm.dataset.images import UnreadableImage, decode_image

GREY, RGB = pixels(1), pixels(2, channels=3)
GREY16, RGB16 = pixels(3, dtype=np.uint16), pixels(4, channels=3, dtype=np.uint16)
BITS = GREY > 127
SMOOTH = np.stack([np.add.outer(np.arange(80), np.arange(96)) // step + 40
                   for step in (1, 2, 3)], axis=-1).astype(np.uint8)
IMAGES = {"grey 8": GREY, "rgb 8": RGB, "grey 16": GREY16, "rgb 16": RGB16}


def same(data, expected):
    image = decode_image(data, "x")
    assert image.dtype == expected.dtype
    np.testing.assert_array_equal(image, expected)


def reason(data):
    with pytest.raises(UnreadableImage) as caught:
        decode_image(data, "x")
    return caught.value.reason


@pytest.mark.parametrize("options", [
    {}, {"byteorder": ">"}, {"bigtiff": True}, {"bigtiff": True, "byteorder": ">"},
    {"tile": (16, 16)}, {"tile": (32, 16), "compression": "zlib"}, {"rowsperstrip": 5},
    {"compression": "zlib", "predictor": 2}, {"compression": "zlib", "predictor": 2,
                                              "byteorder": ">", "rowsperstrip": 7}], ids=str)
@pytest.mark.parametrize("planes", [False, True], ids=["contiguous", "planes"])
@pytest.mark.parametrize("kind", IMAGES)
def test_layouts(kind, planes, options):
    image = IMAGES[kind]
    if image.ndim == 2:
        same(tiff(image, photometric="minisblack", **options), image)
    elif planes:
        same(tiff(np.moveaxis(image, -1, 0), photometric="rgb", planarconfig="separate",
                  **options), image)
    else:
        same(tiff(image, photometric="rgb", **options), image)


@pytest.mark.parametrize("compression", [
    "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("kind", ["grey 8", "rgb 8", "grey 16"])
def test_compressions_as_pillow_writes_them(kind, compression):
    same(encoded(IMAGES[kind], "TIFF", compression=compression), IMAGES[kind])
    large = np.tile(IMAGES[kind], (40, 20, 1)[:IMAGES[kind].ndim])  # several strips
    same(encoded(large, "TIFF", compression=compression), large)


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("kind", IMAGES)
def test_lzw_as_opencv_writes_it(kind, predictor):
    image = IMAGES[kind]
    data = cv2.imencode(".tif", image if image.ndim == 2 else image[..., ::-1], [
        cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, predictor])[1].tobytes()
    same(data, image)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax(compression):
    same(encoded(BITS, "TIFF", compression=compression), BITS.astype(np.uint8) * 255)


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("image", [SMOOTH, SMOOTH[..., 1]], ids=["rgb", "grey"])
def test_jpeg_in_tiff(image, orientation):
    data = encoded(image, "TIFF", compression="jpeg", quality=98, tiffinfo={274: orientation})
    seen = {1: image, 3: image[::-1, ::-1], 6: np.rot90(image, -1)}[orientation]
    found = decode_image(data, "x")
    assert found.shape == seen.shape and np.abs(found.astype(int) - seen).max() <= 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [2, 3, 4, 6, 9, 10, 12, 14])
def test_packed_samples(bits, order):
    values = pixels(3, width=33, dtype=np.uint16) >> (16 - bits)
    expected = values if bits > 8 else (values * 255 // (2**bits - 1)).astype(np.uint8)
    same(packed_tiff(values, bits, order), expected)
    inverted = (2**bits - 1 - values).astype(np.uint16)
    same(packed_tiff(inverted, bits, order, meaning=0), expected)


@pytest.mark.parametrize("highest", [1023, 4095, 16383])
def test_fewer_bits_in_samples_of_16_stay_as_they_are(highest):
    values = (GREY16.astype(int) * highest // 65535).astype(np.uint16)
    same(tiff(values, photometric="minisblack"), values)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("image", [GREY, GREY16], ids=["8", "16"])
def test_white_is_zero_is_inverted(image, order):
    same(tiff(image, photometric="miniswhite", byteorder=order), np.iinfo(image.dtype).max - image)


@pytest.mark.parametrize("meaning", ["minisblack", "miniswhite"])
def test_truth_values(meaning):
    marked = BITS if meaning == "minisblack" else ~BITS
    same(tiff(BITS, photometric=meaning), marked.astype(np.uint8) * 255)
    # Where nothing is said, tifffile writes that white is 0: so it is read, as by any viewer.
    same(tiff(BITS), (~BITS).astype(np.uint8) * 255)


@pytest.mark.parametrize(("extra", "kinds"), [(1, [0]), (2, [0, 0]), (3, [0, 0, 0])])
@pytest.mark.parametrize("kind", IMAGES)
def test_further_channels_are_left_aside(kind, extra, kinds):
    image = IMAGES[kind]
    more = np.dstack([image, pixels(9, channels=4, dtype=image.dtype)[..., :extra]])
    meaning = "minisblack" if image.ndim == 2 else "rgb"
    same(tiff(more, photometric=meaning, planarconfig="contig", extrasamples=kinds), image)


def test_palettes_of_8_and_16_bits():
    colours = pixels(7, 3, 256, dtype=np.uint16)
    same(tiff(GREY, photometric="palette", colormap=colours),
         (colours >> 8).astype(np.uint8).T[GREY])
    low = colours >> 8
    same(tiff(GREY, photometric="palette", colormap=low), low.astype(np.uint8).T[GREY])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_inks_become_rgb(kind):
    top = np.iinfo(kind).max
    corners = np.array([[[0, 0, 0, 0], [top, 0, 0, 0], [0, top, top, 0], [0, 0, 0, top]]], kind)
    same(tiff(corners, photometric="separated"),
         np.array([[[top] * 3, [0, top, top], [top, 0, 0], [0, 0, 0]]], kind))


@pytest.mark.parametrize(("stored", "seen"), [(0, 1), (9, 1), (77, 1), (3, 3), (6, 6), (8, 8)])
def test_orientation(stored, seen):
    data = tiff(RGB, photometric="rgb", extratags=[(274, "H", 1, stored, True)])
    same(data, {1: RGB, 3: RGB[::-1, ::-1], 6: np.rot90(RGB, -1), 8: np.rot90(RGB)}[seen])


KINDS = {
    "f2": "16-bit floating point", "f4": "32-bit floating point", "f8": "64-bit floating point",
    "i1": "8-bit signed integers", "i2": "16-bit signed integers", "i4": "32-bit integers",
    "u4": "32-bit integers", "u8": "64-bit integers", "c8": "64-bit complex numbers"}


@pytest.mark.parametrize("kind", KINDS)
def test_samples_that_are_not_read_are_named(kind):
    assert reason(tiff(GREY.astype(kind), photometric="minisblack")).startswith(KINDS[kind])
    if kind != "c8":
        assert reason(tiff(RGB.astype(kind), photometric="rgb")).startswith(
            f"3 channels of {KINDS[kind]}")


def test_other_kinds_that_are_not_read_are_named():
    assert "CIELAB" in reason(encoded(Image.new("LAB", (8, 8)), "TIFF"))
    assert "CFA" in reason(packed_tiff(GREY, 8, meaning=32803))
    data = bytearray(packed_tiff(GREY, 8))
    where = data.index((259).to_bytes(2, "little"), 10) + 8
    data[where:where + 2] = (34712).to_bytes(2, "little")
    assert reason(bytes(data)).startswith("JPEG2000 compression")


WHOLE = {
    "stored": tiff(RGB, photometric="rgb", rowsperstrip=5),
    "lzw": encoded(RGB, "TIFF", compression="tiff_lzw"),
    "packbits": encoded(RGB, "TIFF", compression="packbits"),
    "deflate": tiff(RGB16, photometric="rgb", compression="zlib", tile=(16, 16)),
    "fax": encoded(BITS, "TIFF", compression="group4"),
    "jpeg": encoded(SMOOTH, "TIFF", compression="jpeg"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_no_cut_is_read(kind):
    data = WHOLE[kind]
    for length in {*range(0, len(data), 61), *range(len(data) - 12, len(data))}:
        assert reason(data[:length])


def test_more_pixels_than_the_file_has_are_refused_before_anything_is_decoded():
    for side, expected in ((60_000, "more than 178 megapixels"), (12_000, "damaged")):
        data = bytearray(tiff(GREY, photometric="minisblack"))
        tags = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[0].tags
        for tag in (256, 257):
            data[tags[tag].valueoffset:tags[tag].valueoffset + 4] = side.to_bytes(4, "little")
        assert expected in reason(bytes(data))
