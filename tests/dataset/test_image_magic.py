"""What claims to be an image, and what only begins like one."""

import io

import pytest
from PIL import Image

from hdm.dataset.image_magic import HEAD, claims_to_be_an_image


@pytest.mark.parametrize(("form", "mode"), [
    *((form, mode) for form in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")
      for mode in ("L", "RGB")), ("PNG", "I;16"), ("TIFF", "I;16"), ("PPM", "1"), ("BMP", "1"),
    ("DIB", "L")])
def test_what_is_written_as_an_image_claims_to_be_one(form: str, mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (300, 200)).save(buffer, format=form)
    # A DIB is a BMP without its first header: nothing in it says that it is an image.
    assert claims_to_be_an_image(buffer.getvalue()[:HEAD]) == (form != "DIB")


@pytest.mark.parametrize("head", [
    b"\0\0\0\x18ftypheic", b"\0\0\0\x1cftypavif", b"\0\0\0\x18ftypmif1", b"MM\0+\0\x08", b"II+\0",
    b"\0\0\0\x0cJXL \r\n\x87\n", b"P6 # made by a camera\n4 4\n255\n", b"P5\n4 4 255\n", b"8BPS"])
def test_formats_that_are_not_read_here_claim_it_too(head: bytes) -> None:
    assert claims_to_be_an_image(head + bytes(40))


@pytest.mark.parametrize("content", [
    b"", b"P", b"BM", b"BMW and others are cars, but this is a text", b"P5 is a code", b"P5",
    b"GIF", b"\x89PNG", b"{}", b"iVBORw0KGgoAAAANSUhEUg==", b"path,label\n", b"%PDF-1.7", b"PK\3\4",
    b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypmp42", b"II and MM", b"SQLite format 3\0", b"\x93NUMPY",
    b"<svg/>", bytes(64)])
def test_other_files_do_not(content: bytes) -> None:
    assert not claims_to_be_an_image(content)
