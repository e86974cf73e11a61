"""PGM and PPM of more than 8 bits, which Pillow rescales to 8 or 16 bit."""

import re

import numpy as np
from numpy.typing import NDArray

from hdm.dataset.allowance import claim

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([2356])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP
                     + rb"(\d{1,9})(?:#[^\r\n]*)?\s")
_SPACE, _PIECE = re.compile(rb"\s"), 2**20
_PLAIN, _COLOUR = (b"2", b"3"), (b"3", b"6")


def is_deep_pnm(data: bytes) -> bool:
    """Whether a PGM or PPM, plain or raw, states a maximum above 255."""
    header = _HEADER.match(data[:2**16])
    return header is not None and int(header[4]) > 255


def read_deep_pnm(data: bytes) -> NDArray[np.uint16]:
    """(H, W) or (H, W, 3) uint16, the values as they are stored: 10-bit samples stay 0..1023.

    Raises NotRead if there are too many, ValueError if some are missing or above the maximum.
    """
    header = _HEADER.match(data[:2**16])
    assert header is not None
    width, height, highest = (int(header[number]) for number in (2, 3, 4))
    claim(width, height)
    if highest > 65535:
        raise ValueError(f"a maximum of {highest}, where 65535 is the highest")
    shape = (height, width, 3) if header[1] in _COLOUR else (height, width)
    number = int(np.prod(shape))
    if header[1] in _PLAIN:
        text = re.sub(rb"#[^\r\n]*", b"", data[header.end():])
        values = _numbers(text, number)
    else:
        held = min(number, (len(data) - header.end()) // 2)
        values = np.frombuffer(data, ">u2", held, header.end())
    if len(values) != number:
        raise ValueError(f"{len(values)} of {number} values")
    if values.max() > highest or values.min() < 0:
        raise ValueError(f"values above the stated maximum of {highest}")
    return values.reshape(shape).astype(np.uint16)


def _numbers(text: bytes, most: int) -> NDArray[np.int32]:
    """The first numbers of a text; raises ValueError for other words."""
    found, left = [], most
    for start in range(0, len(text), _PIECE):
        # A piece ends where a word does; the rest of one that was begun before is passed over.
        begin = start and _word_end(text, start)
        words = text[begin:_word_end(text, start + _PIECE)].split(None, left)[:left]
        found.append(np.array([int(word) for word in words], np.int32))
        left -= len(words)
    return np.concatenate(found) if found else np.empty(0, np.int32)


def _word_end(text: bytes, start: int) -> int:
    gap = _SPACE.search(text, start)
    return gap.start() if gap else len(text)
