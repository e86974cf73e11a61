"""Stacks are counted and read page by page; of a picture with previews the picture is read."""

import io
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from image_files import encoded, pixels, tiff
from PIL import Image

from hdm.dataset.images import UnreadableImage, claimed_pixels, pages, read_image, split_page

GREY = [pixels(seed) for seed in range(20)]
SMALL = pixels(99, 8, 8)
PREVIEW = {"subfiletype": 1}


@pytest.fixture
def written(tmp_path):
    """Writes pages (array, options) as one TIFF."""
    def write(*pictures, **options):
        with tifffile.TiffWriter(tmp_path / "some.tif", **options) as writer:
            for image, more in pictures:
                kind = "rgb" if image.ndim == 3 else "minisblack"
                writer.write(image, photometric=kind, metadata=None, **more)
        return tmp_path / "some.tif"
    return write


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}], ids=str)
@pytest.mark.parametrize("packing", [{}, {"compression": "zlib"}], ids=str)
def test_a_stack_is_read_page_by_page(written, options, packing):
    file = written(*((image, packing) for image in GREY), **options)
    assert pages(file) == 20
    np.testing.assert_array_equal(read_image(file), GREY[0])
    for number, image in enumerate(GREY, start=1):
        np.testing.assert_array_equal(read_image(f"{file}#{number}"), image)


def test_stacks_of_other_writers(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack(GREY), photometric="minisblack")
    Image.fromarray(GREY[0]).save(tmp_path / "b.tif", save_all=True, compression="tiff_lzw",
                                  append_images=[Image.fromarray(image) for image in GREY[1:]])
    tifffile.imwrite(tmp_path / "c.tif", np.stack(GREY).astype(np.uint16), imagej=True)
    for name in ("a.tif", "b.tif", "c.tif"):
        assert pages(tmp_path / name) == 20
        np.testing.assert_array_equal(read_image(tmp_path / f"{name}#20"), GREY[19])


@pytest.mark.parametrize("pictures", [
    [(SMALL, PREVIEW), (GREY[0], {})], [(GREY[0], {}), (SMALL, PREVIEW)],
    [(SMALL, {}), (GREY[0], {})], [(GREY[0], {"subifds": 1}), (SMALL, PREVIEW)],
    [(SMALL, {**PREVIEW, "subifds": 1}), (GREY[0], {})],
    [(pixels(3, 64, 64), PREVIEW), (GREY[0], {})],
    [(GREY[0], {}), (GREY[1] > 127, {"subfiletype": 4})],
], ids=["preview first", "preview last", "unmarked", "below", "picture below", "large preview",
        "mask"])
def test_the_picture_is_read_not_its_preview(written, pictures):
    file = written(*pictures)
    assert pages(file) == 1
    np.testing.assert_array_equal(read_image(file), GREY[0])
    assert claimed_pixels(file.read_bytes()) == GREY[0].size


def test_previews_between_the_pages_of_a_stack_do_not_count(written):
    file = written(*(page for image in GREY[:3] for page in ((image, {}), (SMALL, PREVIEW))))
    assert pages(file) == 3
    np.testing.assert_array_equal(read_image(f"{file}#2"), GREY[1])


def test_pages_of_unlike_size_or_type_are_no_stack(written):
    for other in (pixels(1, 30, 40), pixels(1, 30, 40, dtype=np.uint16), pixels(1, 30, 40, 3)):
        file = written((GREY[0], {}), (other, {}))
        assert pages(file) == 1
        np.testing.assert_array_equal(read_image(file), other)


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw", "group4"])
def test_the_second_page_of_any_compression(tmp_path, compression):
    bits = [Image.fromarray(image > 127) for image in (pixels(1, 9, 9), GREY[1])]
    first, second = bits if compression == "group4" else (image.convert("L") for image in bits)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second], compression=compression)
    assert read_image(tmp_path / "a.tif").shape == GREY[1].shape


@pytest.mark.parametrize("number", [21, 99])
def test_a_page_that_is_not_there(written, number):
    file = written(*((image, {}) for image in GREY))
    with pytest.raises(UnreadableImage, match=f"#{number}: .*a file of 20 pages, without a page"):
        read_image(f"{file}#{number}")


def test_a_file_of_one_page(tmp_path):
    for name, data in (("a.tif", tiff(GREY[0])), ("a.png", encoded(GREY[0], "PNG"))):
        (tmp_path / name).write_bytes(data)
        np.testing.assert_array_equal(read_image(tmp_path / f"{name}#1"), GREY[0])
        with pytest.raises(UnreadableImage, match="a file of one page, without a page 2"):
            read_image(tmp_path / f"{name}#2")


def test_a_file_that_has_the_whole_name_comes_first(written):
    file = written((GREY[0], {}), (GREY[1], {}))
    Path(f"{file}#2").write_bytes(encoded(GREY[7], "PNG"))
    np.testing.assert_array_equal(read_image(f"{file}#2"), GREY[7])
    np.testing.assert_array_equal(read_image(f"{file}#1"), GREY[0])


@pytest.mark.parametrize(("path", "expected"), [
    ("a.tif#3", ("a.tif", 3)), (Path("x/y.TIFF#12"), ("x/y.TIFF", 12)),
    ("b#1.tif#2", ("b#1.tif", 2)),
    ("a.tif", ("a.tif", None)), ("a#3", ("a#3", None)), ("a.tif#0", ("a.tif#0", None)),
    ("a.tif#-1", ("a.tif#-1", None)), ("v1.2/part#3", ("v1.2/part#3", None)),
    ("a#2.png", ("a#2.png", None)), ("a.tif#x", ("a.tif#x", None))])
def test_names_of_pages(path, expected):
    assert split_page(path) == expected


def test_one_page_of_anything_else(tmp_path, written):
    for name, data in (("a.png", encoded(GREY[0], "PNG")), ("b.tif", b"II*\0garbage"),
                       ("c.tif", b""), ("d.txt", b"text"), ("e.tif", tiff(GREY[0])[:60])):
        (tmp_path / name).write_bytes(data)
        assert pages(tmp_path / name) == 1
    assert pages(tmp_path) == pages(tmp_path / "none.tif") == 1


def test_a_file_that_changed_is_counted_again(written, tmp_path):
    file = written(*((image, {}) for image in GREY))
    assert pages(file) == 20
    shutil.copy(written((GREY[0], {}), (GREY[1], {})), tmp_path / "other.tif")
    (tmp_path / "other.tif").replace(file)
    assert pages(file) == 2


def test_headers_in_a_circle_end():
    data = bytearray(tiff(GREY[0], photometric="minisblack"))
    first = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[0].offset
    number, = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * number, first)
    assert claimed_pixels(bytes(data)) == GREY[0].size


def test_a_stack_that_was_cut_is_refused(written):
    file = written(*((image, {}) for image in GREY))
    data = file.read_bytes()
    for length in (len(data) // 3, len(data) // 2, len(data) - 300):
        file.write_bytes(data[:length])
        with pytest.raises(UnreadableImage, match="truncated or damaged"):
            read_image(f"{file}#20")
