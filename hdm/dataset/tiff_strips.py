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

from hdm.dataset.not_read import NotRead

_STORED, _DIFFERENCES = 1, 2  # compression; predictor
_DEFLATE = (8, 32946)
_BY_LIBTIFF = (5, 32773, 34925, 50000)  # LZW, PackBits, LZMA, ZStandard
UNPACKED = (_STORED, *_DEFLATE, *_BY_LIBTIFF)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SHORT, _LONG = 3, 4  # types of tags


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
    bits = page.bitspersample
    values = _reader(page, columns, each)
    down, across = -(-height // rows), -(-width // columns)
    size = rows * -(-columns * each * bits // 8)
    strips = _whereabouts(stream, page, planes * down * across, size)
    image = np.empty((height, width, samples), np.uint8 if bits <= 8 else np.uint16)
    for number, (offset, length) in enumerate(strips):
        plane, place = divmod(number, down * across)
        top, left = place // across * rows, place % across * columns
        here = rows if page.is_tiled else min(rows, height - top)
        stream.seek(offset)
        block = values(stream.read(length), here)[:height - top, :width - left]
        image[top:top + here, left:left + columns, plane * each:plane * each + each] = block
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


def _reader(page: TiffPage, columns: int, each: int) -> Callable[[bytes, int], NDArray]:
    """What makes (rows, columns, each) samples of a strip's bytes and its number of rows."""
    bits, compression = page.bitspersample, int(page.compression)
    width = -(-columns * each * bits // 8)  # bytes of a row
    order = page.parent.byteorder
    kind = np.uint8 if bits <= 8 else np.uint16
    if page.predictor not in (1, _DIFFERENCES) or (page.predictor != 1 and bits not in (8, 16)):
        raise NotRead(f"a TIFF of {bits}-bit integers with predictor {int(page.predictor)}")

    def values(packed: bytes, rows: int) -> NDArray:
        if page.fillorder == 2:
            packed = packed.translate(_REVERSED)
        data = _unpacked(packed, compression, width, rows)
        if len(data) < width * rows:
            raise ValueError(f"{len(data)} of {width * rows} bytes of a strip")
        data = data[:width * rows]
        if bits in (8, 16):
            block: NDArray[Any] = np.frombuffer(data, f"{order}u{bits // 8}").astype(kind)
        else:
            lines = np.unpackbits(np.frombuffer(data, np.uint8).reshape(rows, width), axis=1)
            digits = lines[:, :columns * each * bits].reshape(-1, bits)
            block = np.zeros(len(digits), kind)
            for digit in range(bits):
                block = block << 1 | digits[:, digit]
        block = block.reshape(rows, columns, each)
        if page.predictor == _DIFFERENCES:
            np.cumsum(block, axis=1, dtype=kind, out=block)
        return block

    return values


def _unpacked(packed: bytes, compression: int, width: int, rows: int) -> bytes:
    if compression == _STORED:
        return packed
    if compression in _DEFLATE:
        return zlib.decompressobj().decompress(packed, width * rows)
    return _by_libtiff(packed, compression, width, rows)


def _by_libtiff(packed: bytes, compression: int, width: int, rows: int) -> bytes:
    """A strip's bytes as the pixels of a grey image: libtiff, which Pillow has inside, unpacks
    them in whatever layout they are."""
    tags = ((256, _LONG, width), (257, _LONG, rows), (258, _SHORT, 8), (259, _SHORT, compression),
            (262, _SHORT, 1), (273, _LONG, 122), (277, _SHORT, 1), (278, _LONG, rows),
            (279, _LONG, len(packed)))
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    header += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    file = io.BytesIO(header + struct.pack("<I", 0) + packed)
    with Image.open(file, formats=("TIFF",)) as image:
        return image.tobytes()
