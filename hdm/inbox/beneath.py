"""Files of an inbox, opened and removed without following a link: nobody leads out of it.

Whoever may put files into an inbox could otherwise have files elsewhere read out, or deleted.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath


@contextmanager
def opened(root: Path, path: str) -> Iterator[BufferedReader]:
    """The file to read; raises OSError if it is not there, or only by a link."""
    with _folder(root, path) as (folder, name), \
            os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as stream:
        yield stream


def remove(root: Path, path: str) -> None:
    """Delete the file; raises OSError if it is not there, or only by a link to its folder."""
    with _folder(root, path) as (folder, name):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _folder(root: Path, path: str) -> Iterator[tuple[int, str]]:
    """Descriptor of the file's folder, and the file's name."""
    *folders, name = PurePosixPath(path).parts
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folders:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        yield here, name
    finally:
        os.close(here)
