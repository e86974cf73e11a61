"""Pictures from outside: read as `hdm.dataset.images` does, in a worker that may be ended.

Outside is whatever nobody has read yet: uploads, an inbox, a source, files that a person names. One
that takes more time, memory or pixels than `DecodingLimits` allow, or that its decoder dies of, is
one sentence that names it, and the others go on.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hdm.dataset import images, tiff_pages
from hdm.dataset.decoding_limits import LIMITS
from hdm.dataset.decoding_pool import Task, at_once
from hdm.dataset.tiff_pages import is_tiff
from hdm.dataset.windowed import in_threads
from hdm.errors import DataError

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_image(path: Path | str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """As `images.read_image`."""
    return in_worker(images.read_image, path, name=path)


def read_mask(path: Path | str) -> NDArray[np.bool_]:
    """As `images.read_mask`."""
    return in_worker(images.read_mask, path, name=path)


def pages(path: Path | str) -> int:
    """As `images.pages`; the pages of a TIFF may be without end."""
    return _of_tiff(images.pages, path, 1)


def other_pages(path: Path | str) -> int:
    """As `tiff_pages.other_pages`."""
    return _of_tiff(tiff_pages.other_pages, path, 0)


def in_worker(work: Callable[..., Result], *arguments: Any, name: Path | str) -> Result:
    """What `work` makes of a file, called `name` in errors, done in a worker.

    All that goes there and comes back is pickled. Raises what `work` raises, and UnreadableImage
    where it takes more than it may.
    """
    result: Result = Task(str(name), LIMITS, work, *arguments).result()
    return result


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work`, which waits for a worker, on every item, as many at once as there are workers."""
    yield from in_threads(work, items, at_once() + 1)  # one more, as a thread hands each over


def _of_tiff(work: Callable[[Path | str], int], path: Path | str, otherwise: int) -> int:
    try:
        if not Path(path).is_file():  # to open a pipe would wait for ever
            return otherwise
        with Path(path).open("rb") as stream:
            if not is_tiff(stream.read(4)):
                return otherwise
        return in_worker(work, path, name=path)
    except (OSError, DataError):  # what is wrong with the file is told when it is read
        return otherwise
