"""Arrays of a test split, in a temporary file once they are many, or they would fill memory."""

import tempfile
from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

_IN_MEMORY = 2**25
"""Bytes that are kept in memory."""


class ArraysOnDisk(Sequence[NDArray]):
    """A sequence of arrays of any shapes and types that grows at its end. Each is read when it is
    asked for; the file is gone with the sequence. Raises OSError where the disk is full."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - kept open
        self._places: list[tuple[int, tuple[int, ...], np.dtype]] = []

    def append(self, array: NDArray) -> None:
        """Put a copy of the array at the end."""
        self._file.seek(0, 2)
        self._places.append((self._file.tell(), array.shape, array.dtype))
        self._file.write(np.ascontiguousarray(array).tobytes())

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> NDArray: ...
    @overload
    def __getitem__(self, number: slice) -> list[NDArray]: ...

    def __getitem__(self, number: int | slice) -> NDArray | list[NDArray]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        start, shape, dtype = self._places[number]
        self._file.seek(start)
        found = np.empty(shape, dtype)
        if found.size:
            self._file.readinto(found.data.cast("B"))
        return found
