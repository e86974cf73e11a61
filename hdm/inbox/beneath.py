"""Files of an inbox, opened and removed without following a link: nobody leads out of it.

Whoever may put files into an inbox could otherwise have files elsewhere read out, or deleted.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


def move(root: Path, path: str, folder: str) -> None:
    """Put the file into `folder` of `root`, which is made; another file there is left alone.

    Raises OSError if the file is not there, or only by a link, or if its name is taken there.
    """
    name = PurePosixPath(path).name
    with suppress(FileExistsError):
        (root / folder).mkdir()
    with _folder(root, path) as (origin, _), _folder(root, f"{folder}/{name}") as (target, _):
        if not stat.S_ISREG(os.stat(name, dir_fd=origin, follow_symlinks=False).st_mode):
            raise FileNotFoundError(errno.ENOENT, "no file", path)
        try:
            os.stat(name, dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            os.rename(name, name, src_dir_fd=origin, dst_dir_fd=target)
            os.fsync(target)
            os.fsync(origin)
        else:
            raise FileExistsError(errno.EEXIST, "its name is taken there", path)


@contextmanager
def _folder(root: Path, path: str) -> Iterator[tuple[int, str]]:
    """Descriptor of the file's folder, and the file's name."""
    *folders, name = PurePosixPath(path).parts or ("",)
    if ".." in (*folders, name) or name in ("", "/") or PurePosixPath(path).is_absolute():
        raise FileNotFoundError(errno.ENOENT, "no file of this folder", path)
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folders:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = below
        yield here, name
    finally:
        os.close(here)
