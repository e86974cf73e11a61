"""The samples of a TIFF page, whatever their bits, bytes, strips, tiles, planes and packing are.

tifffile says where the strips are and what they hold. They are unpacked here, each to exactly the
bytes that it has to have: tifffile fills what is missing with zeros, and needs another package for
LZW and for samples of 10, 12 and 14 bits.
"""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tifffile import TiffPage

from hdm.dataset.not_read import NotRead, check_size

_STORED, _DIFFERENCES = 1, 2  # compression; predictor
_DEFLATE = (8, 32946)
_BY_LIBTIFF = (5, 32773, 34925, 50000)  # LZW, PackBits, LZMA, ZStandard
UNPACKED = (_STORED, *_DEFLATE, *_BY_LIBTIFF)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_LONG = 4  # a type of tags
_AT_ONCE = 2**23  # bytes of strips that are unpacked together


def read_samples(stream: BinaryIO, page: TiffPage) -> NDArray:
    """(H, W, samples) as stored, up to 8 bits as uint8, up to 16 as uint16.

    `page` has unsigned samples of one depth, and a compression of UNPACKED. Raises ValueError or
    OSError as soon as anything is missing or damaged, NotRead for an unknown predictor.
    """
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    planes = samples if page.planarconfig == 2 else 1
    each = samples // planes
    rows = page.tilelength if page.is_tiled else min(page.rowsperstrip, height)
    columns = page.tilewidth if page.is_tiled else width
    check_size(columns, rows)
    row_bytes = -(-columns * each * page.bitspersample // 8)
    across = -(-width // columns)
    a_plane = -(-height // rows) * across
    strips = _whereabouts(stream, page, planes * a_plane, rows * row_bytes)
    unpacked = _unpacked(stream, page, row_bytes, rows)
    values = _reader(page, columns, each)
    image = np.empty((height, width, samples), np.uint8 if page.bitspersample <= 8 else np.uint16)
    together = max(1, _AT_ONCE // (rows * row_bytes))
    for plane in range(planes):
        channels = slice(plane * each, plane * each + each)
        for first in range(0, a_plane, together):
            numbers = range(first, min(first + together, a_plane))
            last = rows if page.is_tiled else min(rows, height - numbers[-1] * rows)
            data = unpacked([strips[plane * a_plane + number] for number in numbers], last)
            for place, number in enumerate(numbers):
                top, left = number // across * rows, number % across * columns
                block = values(data[place * rows * row_bytes:][:rows * row_bytes])
                block = block[:height - top, :width - left]
                image[top:top + len(block), left:left + columns, channels] = block
    return image


def _whereabouts(stream: BinaryIO, page: TiffPage, number: int, size: int) -> list[tuple[int, int]]:
    """Offset and length of each strip or tile, all of them within the file."""
    end = stream.seek(0, io.SEEK_END)
    offsets, lengths = page.dataoffsets, page.databytecounts
    if len(lengths) < number and page.compression == _STORED:
        lengths = (size,) * number  # older writers leave them out
    if len(offsets) < number or len(lengths) < number:
        raise ValueError(f"{min(len(offsets), len(lengths))} of {number} strips")
    found = list(zip(offsets[:number], lengths[:number], strict=True))
    for offset, length in found:
        if offset < 1 or length < 1 or (offset + length > end and page.compression != _STORED):
            raise ValueError("a strip outside of the file")
    return found


def _unpacked(stream: BinaryIO, page: TiffPage, row_bytes: int, rows: int
              ) -> Callable[[list[tuple[int, int]], int], memoryview]:
    """What reads strips of `rows` rows, the last one of so many, and unpacks them one after the
    other, each to all of its bytes."""
    compression = int(page.compression)

    def read(strips: list[tuple[int, int]], last: int) -> memoryview:
        packed = []
        for offset, length in strips:
            stream.seek(offset)
            data = stream.read(length)
            packed.append(data.translate(_REVERSED) if page.fillorder == 2 else data)
        if compression in _BY_LIBTIFF:
            height = (len(strips) - 1) * rows + last
            return memoryview(_by_libtiff(packed, compression, row_bytes, rows, height))
        whole = bytearray()
        for number, data in enumerate(packed, start=1):
            size = row_bytes * (last if number == len(packed) else rows)
            if compression in _DEFLATE:
                data = zlib.decompressobj().decompress(data, size)
            if len(data) < size:
                raise ValueError(f"{len(data)} of {size} bytes of a strip")
            whole += data[:size]
        return memoryview(whole)

    return read


def _reader(page: TiffPage, columns: int, each: int) -> Callable[[memoryview], NDArray]:
    """What makes (rows, columns, each) samples of a strip's bytes."""
    bits = page.bitspersample
    row_bytes = -(-columns * each * bits // 8)
    stored = np.dtype(f"{page.parent.byteorder}u{2 if bits == 16 else 1}")
    kind = np.uint8 if bits <= 8 else np.uint16
    if page.predictor not in (1, _DIFFERENCES) or (page.predictor != 1 and bits not in (8, 16)):
        raise NotRead(f"a TIFF of {bits}-bit integers with predictor {int(page.predictor)}")

    def values(data: memoryview) -> NDArray:
        block: NDArray[Any] = np.frombuffer(data, stored)
        if bits not in (8, 16):
            lines = np.unpackbits(block.reshape(-1, row_bytes), axis=1)
            digits = lines[:, :columns * each * bits].reshape(-1, bits)
            block = np.zeros(len(digits), kind)
            for digit in range(bits):
                block = block << 1 | digits[:, digit]
        block = block.reshape(-1, columns, each)
        if page.predictor == _DIFFERENCES:
            block = np.cumsum(block, axis=1, dtype=kind)
        return block

    return values


def _by_libtiff(strips: list[bytes], compression: int, width: int, rows: int, height: int) -> bytes:
    """The bytes of strips as the pixels of one grey image: libtiff, which Pillow has inside,
    unpacks them in whatever layout they are."""
    number, start = len(strips), 8 + 2 + 9 * 12 + 4
    lengths = np.array([len(strip) for strip in strips], "<u4")
    offsets = start + 8 * number + np.cumsum(lengths, dtype="<u4") - lengths
    # One offset and one length are in their tags, more of them after the tags.
    places = (start, start + 4 * number) if number > 1 else (int(offsets[0]), int(lengths[0]))
    tags = ((256, 1, width), (257, 1, height), (258, 1, 8), (259, 1, compression), (262, 1, 1),
            (273, number, places[0]), (277, 1, 1), (278, 1, rows), (279, number, places[1]))
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    header += b"".join(struct.pack("<HHII", tag, _LONG, count, value) for tag, count, value in tags)
    file = b"".join([header, bytes(4), offsets.astype("<u4").tobytes(), lengths.tobytes(), *strips])
    with Image.open(io.BytesIO(file), formats=("TIFF",)) as image:
        return image.tobytes()
