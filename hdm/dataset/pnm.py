"""PGM and PPM of more than 8 bits, which Pillow rescales to 8 or 16 bit."""

import re

import numpy as np
from numpy.typing import NDArray

from hdm.dataset.not_read import check_size

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([2356])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP
                     + rb"(\d{1,9})(?:#[^\r\n]*)?\s")
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
    check_size(width, height)
    if highest > 65535:
        raise ValueError(f"a maximum of {highest}, where 65535 is the highest")
    shape = (height, width, 3) if header[1] in _COLOUR else (height, width)
    number = int(np.prod(shape))
    if header[1] in _PLAIN:
        text = re.sub(rb"#[^\r\n]*", b"", data[header.end():])
        values = np.array([int(value) for value in text.split(None, number)[:number]])
    else:
        held = min(number, (len(data) - header.end()) // 2)
        values = np.frombuffer(data, ">u2", held, header.end())
    if len(values) != number:
        raise ValueError(f"{len(values)} of {number} values")
    if values.max() > highest or values.min() < 0:
        raise ValueError(f"values above the stated maximum of {highest}")
    return values.reshape(shape).astype(np.uint16)
