"""Whole pixels are read whatever is written beside them."""

import io
import zlib

import numpy as np
import pytest
from image_files import chunk, encoded, exif, pixels, segment, with_chunk, with_segment
from PIL import Image

from hdm.dataset.images import UnreadableImage, decode_image

GREY = pixels(1)
PNG = encoded(GREY, "PNG")
JPEG = encoded(pixels(2, channels=3), "JPEG", quality=95)
JPEG_PIXELS = np.asarray(Image.open(io.BytesIO(JPEG)))
TAGS = exif(3, 1, b"\6\0\0\0")
XMP = b'<x:xmpmeta tiff:Orientation="6"/>'

CHUNKS = {
    "wrong checksum of text": chunk(b"tEXt", b"a\0b")[:-4] + bytes(4),
    "wrong checksum of a profile": chunk(b"iCCP", b"icc\0\0x")[:-4] + bytes(4),
    "huge packed text": chunk(b"zTXt", b"meta\0\0" + zlib.compress(b"x" * 3_000_000)),
    "much text": chunk(b"tEXt", b"k\0" + b"x" * 900_000) * 80,
    "bad profile": chunk(b"iCCP", b"icc\0\0garbage"),
    "empty profile": chunk(b"iCCP", b""),
    "garbage for exif": chunk(b"eXIf", b"garbage!"),
    "exif of an unknown type": chunk(b"eXIf", exif(7, 1, b"\6\0\0\0")),
    "garbage for old exif": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"zz")),
    "orientation 9 in xmp": chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0tiff:Orientation="9"'),
    "short gamma": chunk(b"gAMA", b""),
    "short chromaticities": chunk(b"cHRM", b"ab"),
    "short frame count": chunk(b"acTL", b"\0"),
    "a private chunk": chunk(b"caMp", b"\xff" * 40),
}
SEGMENTS = {
    "orientation as text": segment(0xE1, exif(2, 4, b"top\0")),
    "orientation of an unknown type": segment(0xE1, exif(7, 1, b"\6\0\0\0")),
    "orientation 0": segment(0xE1, exif(3, 1, bytes(4))),
    "orientation 9": segment(0xE1, exif(3, 1, b"\x09\0\0\0")),
    "garbage for exif": segment(0xE1, b"Exif\0\0garbage"),
    "no exif": segment(0xE1, b"Exif\0\0"),
    "garbage for xmp": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<<\xff>"),
    "bad profile": segment(0xE2, b"ICC_PROFILE\0\1\2junk"),
    "cut profile": segment(0xE2, b"ICC_PROFILE\0"),
    "garbage for previews": segment(0xE2, b"MPF\0garbage"),
    "garbage for photoshop": segment(0xED, b"Photoshop 3.0\0 8BIM\xff"),
    "short jfif": segment(0xE0, b"JFIF\0"),
    "short adobe": segment(0xEE, b"Adobe"),
    "empty comment": segment(0xFE, b""),
    "fill": b"\xff\xff",
}


@pytest.mark.parametrize("case", CHUNKS)
def test_a_png_is_read(case):
    np.testing.assert_array_equal(decode_image(with_chunk(PNG, CHUNKS[case]), "x"), GREY)


@pytest.mark.parametrize("case", SEGMENTS)
def test_a_jpeg_is_read(case):
    found = decode_image(with_segment(JPEG, SEGMENTS[case]), "x")
    np.testing.assert_array_equal(found, JPEG_PIXELS)


@pytest.mark.parametrize("rest", [b"\0" * 5000, b"junk", JPEG, PNG], ids=str)
def test_bytes_after_the_end_are_no_damage(rest):
    np.testing.assert_array_equal(decode_image(JPEG + rest, "x"), JPEG_PIXELS)
    np.testing.assert_array_equal(decode_image(PNG + rest, "x"), GREY)


@pytest.mark.parametrize("options", [
    {"exif": b"garbage"}, {"icc_profile": b"x"}, {"xmp": b"\xff"}], ids=str)
def test_a_webp_is_read(options):
    found = decode_image(encoded(GREY, "WEBP", lossless=True, **options), "x")
    np.testing.assert_array_equal(found, GREY)


def lines(data):
    text = data.hex().encode()
    return b"\n".join(text[start:start + 72] for start in range(0, len(text), 72))


@pytest.mark.parametrize("extra", [
    chunk(b"eXIf", TAGS[6:]), chunk(b"eXIf", TAGS),
    chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(
        b"\nexif\n      %d\n" % len(TAGS) + lines(TAGS) + b"\n")),
    CHUNKS["wrong checksum of text"] + chunk(b"eXIf", TAGS[6:])],
    ids=["exif", "exif with its name", "xmp", "old exif", "exif beside damage"])
def test_the_orientation_of_a_png_is_applied(extra):
    found = decode_image(with_chunk(PNG, extra), "x")
    np.testing.assert_array_equal(found, np.rot90(GREY, -1))


@pytest.mark.parametrize("extra", [
    segment(0xE1, TAGS), segment(0xE1, exif(4, 1, b"\6\0\0\0")),
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    SEGMENTS["bad profile"] + segment(0xE1, TAGS)], ids=["exif", "long", "xmp", "beside damage"])
def test_the_orientation_of_a_jpeg_is_applied(extra):
    found = decode_image(with_segment(JPEG, extra), "x")
    np.testing.assert_array_equal(found, np.rot90(JPEG_PIXELS, -1))


@pytest.mark.parametrize(("position", "value", "reason"), [
    (4, 12, "a JPEG of 12-bit samples"), (1, 0xF7, "a JPEG-LS file"), (9, 2, "2 channels")])
def test_other_kinds_of_jpeg_are_named(position, value, reason):
    data = bytearray(JPEG)
    data[data.index(b"\xff\xc0") + position] = value
    with pytest.raises(UnreadableImage) as caught:
        decode_image(bytes(data), "x")
    assert reason in caught.value.reason and "damaged" not in caught.value.reason
