"""PNG and JPEG without what is written beside their pixels.

Text, profiles and previews that a decoder stumbles over must not make whole pixels unreadable, so
it is given the pixels alone. EXIF and XMP are handed over for the orientation they may state.
"""

import re
import struct
import zlib
from typing import NamedTuple

from hdm.dataset.not_read import NotRead

PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG_XMP, _PNG_EXIF = b"XML:com.adobe.xmp\0", b"Raw profile type exif\0\0"
_JPEG_EXIF, _JPEG_XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_LARGEST_PROFILE = 2**20  # bytes, unpacked


class Bare(NamedTuple):
    """A file of pixels alone, and the metadata that may say how the camera was held."""

    data: bytes
    exif: bytes = b""
    xmp: bytes = b""


def bare_png(data: bytes) -> Bare:
    """Raises ValueError if the file ends early or a chunk of its pixels is damaged, NotRead for
    an animation."""
    kept, exif, xmp, kind, position = [PNG_START], b"", b"", b"", len(PNG_START)
    while kind != b"IEND":
        if position + 12 > len(data):
            raise ValueError("the file ends early")
        length, kind = struct.unpack_from(">I4s", data, position)
        content, end = data[position + 8:position + 8 + length], position + 12 + length
        if end > len(data):
            raise ValueError("the file ends early")
        whole = zlib.crc32(kind + content) == int.from_bytes(data[end - 4:end])
        if kind in _PNG_KEPT:
            if not whole:
                raise ValueError(f"a wrong checksum of the chunk {kind.decode()}")
            kept.append(data[position:end])
        elif kind[:1].isupper():
            raise NotRead(f"a PNG with the unknown chunk {kind!r}")
        elif whole:
            if kind == b"acTL" and (frames := int.from_bytes(content[:4])) > 1:
                raise animation(frames)
            if kind == b"eXIf":
                exif = content
            elif kind == b"zTXt" and content.startswith(_PNG_EXIF):
                exif = exif or _exif_profile(content[len(_PNG_EXIF):])
            elif kind == b"iTXt" and content.startswith(_PNG_XMP):
                xmp = content
        position = end
    return Bare(b"".join(kept), exif, xmp)


def bare_jpeg(data: bytes) -> Bare:
    """Of several images in one file (MPO) the first is left. Raises NotRead for samples of other
    than 8 bits; what is damaged is left to the decoder to refuse."""
    kept, exif, xmp, position = [JPEG_START], b"", b"", len(JPEG_START)
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2:position + 4])
        if marker == 0xFF:  # fill
            position += 1
            continue
        if marker == 0xDA or marker < 0xC0 or 0xD0 <= marker <= 0xD9 or length < 2:
            break  # the pixels begin, or damage
        content, end = data[position + 4:position + 2 + length], position + 2 + length
        if marker == 0xE1 and content.startswith(_JPEG_EXIF):
            exif = exif or content
        elif marker == 0xE1 and content.startswith(_JPEG_XMP):
            xmp = xmp or content
        elif _says_how_to_decode(marker, content):
            _check_frame(marker, content)
            kept.append(data[position:end])
        position = end
    return Bare(b"".join(kept) + data[position:], exif, xmp)


def animation(frames: int) -> NotRead:
    """What to raise for several pictures where one is expected."""
    return NotRead(f"an animation of {frames} frames, not a still picture")


def _says_how_to_decode(marker: int, content: bytes) -> bool:
    """Of comments and application data, JFIF and Adobe's colour transform alone."""
    if marker == 0xE0:
        return content.startswith(b"JFIF\0") and len(content) >= 14
    if marker == 0xEE:
        return content.startswith(b"Adobe") and len(content) >= 12
    return marker < 0xE0 or 0xF0 <= marker < 0xFE


def _check_frame(marker: int, content: bytes) -> None:
    if marker == 0xF7:
        raise NotRead("a JPEG-LS file")
    if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(content) >= 6:
        if content[0] != 8:
            raise NotRead(f"a JPEG of {content[0]}-bit samples (8 bit are read)")
        if content[5] not in (1, 3, 4):
            raise NotRead(f"a JPEG of {content[5]} channels")


def _exif_profile(packed: bytes) -> bytes:
    """EXIF as older ImageMagick writes it: packed hexadecimal text; b"" if it makes no sense."""
    try:
        text = zlib.decompressobj().decompress(packed, _LARGEST_PROFILE)
        digits = re.sub(rb"\s", b"", text.split(b"\n", 3)[3])
        return bytes.fromhex(digits.decode("ascii"))
    except (zlib.error, ValueError, IndexError):
        return b""
