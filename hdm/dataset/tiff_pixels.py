"""One page of a TIFF as pixels: what its samples mean."""

import io
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tifffile import COMPRESSION, PHOTOMETRIC, TiffPage

from hdm.dataset.allowance import claim
from hdm.dataset.alpha import by_rows, on_black
from hdm.dataset.not_read import MAX_PIXELS, NotRead
from hdm.dataset.orientation import upright
from hdm.dataset.pillow_modes import native
from hdm.dataset.tiff_pages import choose_page, open_tiff, page_at, page_offsets
from hdm.dataset.tiff_strips import UNPACKED, read_samples

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
_BY_PILLOW = (2, 3, 4, 6, 7)  # fax and JPEG
_UNSIGNED = (1, 4)  # 4 says nothing
_SAMPLE_FORMATS = {1: "integers", 2: "signed integers", 3: "floating point", 4: "integers",
                   5: "complex numbers", 6: "complex numbers"}
_ALPHAS = (2, 999)  # extra channels that colours are still to be multiplied by; 999 is Corel's
_PHOTOMETRIC_TAG, _SUBSAMPLING_TAG, _ORIENTATION_TAG = 262, 530, 274


def read_tiff(stream: BinaryIO, number: int | None = None, file: Path | None = None) -> NDArray:
    """A picture of a TIFF, the first if no `number` (from 1) is given, as `read_page` has it.

    `file` is where the stream was opened, if anywhere: its pages are then looked for once.
    """
    offset = choose_page(page_offsets(file or stream), number)
    with open_tiff(stream) as tiff:
        return np.ascontiguousarray(read_page(stream, page_at(tiff, offset)))


def claimed_size(stream: BinaryIO) -> tuple[int, int]:
    """Width and height that `read_tiff` would return; raises as it does."""
    offset = choose_page(page_offsets(stream), None)
    with open_tiff(stream) as tiff:
        page = page_at(tiff, offset)
        return page.imagewidth, page.imagelength


def read_page(stream: BinaryIO, page: TiffPage) -> NDArray:
    """(H, W) or (H, W, 3), uint8 or uint16, upright.

    Grey and colour of 8 and 16 bits are exact. 1 to 7 bits are spread over 0..255, 9 to 15 stay
    the values they were. White-is-zero is inverted, palettes, CMYK and YCbCr become RGB, alpha is
    laid on black, and other extra channels are left aside.

    Floating point, signed and 32-bit integers are refused: nothing in a file says which of their
    values is black and which white, and to guess it from one image would give each its own scale.
    Raises NotRead for them and whatever else is whole but not read; ValueError, OSError or another
    error of the decoder for damage.
    """
    claim(page.imagewidth, page.imagelength)
    if reason := _what_it_is(page):
        raise NotRead(reason)
    if page.compression in _BY_PILLOW:
        return _by_pillow(stream, page)
    pixels = _colours(page, read_samples(stream, page))
    stated = page.tags.valueof(_ORIENTATION_TAG)
    return upright(pixels, stated if isinstance(stated, int) else 1)


def _what_it_is(page: TiffPage) -> str | None:
    """The page's kind if it is one that is not read."""
    channels, bits = page.samplesperpixel, page.bitspersample
    many = f"{channels} channels of " if channels > 1 else ""
    if page.imagedepth > 1:
        return f"a volume of {page.imagedepth} slices"
    if not isinstance(bits, int):
        return f"channels of unlike depths ({', '.join(map(str, bits))} bits)"
    kind = _SAMPLE_FORMATS.get(page.sampleformat, f"samples of format {page.sampleformat}")
    if bits > 16 and "integers" in kind:
        kind = "integers"  # signed or not
    if bits > 16 or page.sampleformat not in _UNSIGNED:
        return f"{many}{bits}-bit {kind} (unsigned integers of up to 16 bits are read)"
    if _photometric(page) not in _COLOURS:
        return f"pixels of the kind {_name(PHOTOMETRIC, page.photometric)} (grey, RGB, palettes, " \
               "CMYK and YCbCr are read)"
    if page.compression not in (*UNPACKED, *_BY_PILLOW):
        return f"{_name(COMPRESSION, page.compression)} compression, which is not read in a TIFF"
    if page.compression in _BY_PILLOW and bits not in (1, 8):
        return f"{_name(COMPRESSION, page.compression)} compression of {bits}-bit samples"
    if page.imagewidth * page.imagelength * channels > 4 * MAX_PIXELS:
        return f"{channels} channels of {page.imagewidth}x{page.imagelength} px"
    return None


def _photometric(page: TiffPage) -> int:
    """Where the tag is missing, grey or RGB by the number of channels, as libtiff has it."""
    if _PHOTOMETRIC_TAG in page.tags or page.compression in _BY_PILLOW:
        return int(page.photometric)
    return _RGB if page.samplesperpixel >= 3 else _BLACK_IS_ZERO


def _name(kinds: type[COMPRESSION] | type[PHOTOMETRIC], value: int) -> str:
    try:
        return kinds(value).name
    except ValueError:
        return f"number {value}"


def _colours(page: TiffPage, samples: NDArray) -> NDArray:
    """(H, W, samples) as stored -> (H, W) or (H, W, 3)."""
    meaning, bits = _photometric(page), page.bitspersample
    number = _COLOURS[meaning]
    if samples.shape[2] < number:
        raise ValueError(f"{samples.shape[2]} channels, where {number} are expected")
    if meaning == _PALETTE:
        return _looked_up(page, samples[..., 0])
    top = 2**bits - 1
    if meaning == _WHITE_IS_ZERO:
        samples[..., 0] = top - samples[..., 0]
    if bits < 8:
        samples = by_rows(lambda rows: (rows.astype(np.uint16) * 255 // top).astype(np.uint8),
                          samples)
    colour = samples[..., :number]
    if meaning == _CMYK:
        return by_rows(lambda rows: _inks(rows, top), colour)
    if meaning == _YCBCR:
        return _ycbcr(page, colour)
    extra = tuple(page.extrasamples)
    if not extra and meaning == _RGB and samples.shape[2] == 4:
        extra = _ALPHAS[:1]  # the tag is missing
    if extra and extra[0] in _ALPHAS and samples.shape[2] > number:
        return on_black(samples[..., :number + 1], top if bits > 8 else 255)
    return colour if number == 3 else colour[..., 0]


def _looked_up(page: TiffPage, indices: NDArray) -> NDArray[np.uint8]:
    colours = page.colormap
    if colours is None or colours.ndim != 2 or indices.max() >= colours.shape[1]:
        raise ValueError("an incomplete palette")
    shift = 8 if colours.max() > 255 else 0  # some writers leave them at 8 bits
    return (colours >> shift).astype(np.uint8).T[indices]


def _inks(colour: NDArray, top: int) -> NDArray:
    """Cyan, magenta, yellow and black as RGB: what the inks leave of the light, without a
    profile."""
    left = top - colour.astype(np.uint32)
    return ((left[..., :3] * left[..., 3:] + top // 2) // top).astype(colour.dtype)


def _ycbcr(page: TiffPage, colour: NDArray) -> NDArray[np.uint8]:
    if colour.dtype != np.uint8 or page.tags.valueof(_SUBSAMPLING_TAG) != (1, 1):
        raise NotRead("YCbCr of reduced colour without JPEG compression")
    return np.asarray(Image.fromarray(np.ascontiguousarray(colour), "YCbCr").convert("RGB"))


def _by_pillow(stream: BinaryIO, page: TiffPage) -> NDArray:
    """A page, upright. Pillow is led to it by the file's first offset."""
    stream.seek(0)
    data = bytearray(stream.read())
    order = page.parent.byteorder
    if page.parent.is_bigtiff:
        struct.pack_into(f"{order}Q", data, 8, page.offset)
    else:
        struct.pack_into(f"{order}I", data, 4, page.offset)
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        image.load()
        return native(image)
