"""The key that a server makes for itself, where others could reach it without one."""

import hmac
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from hdm.errors import ConfigError
from hdm.files import cannot_write
from hdm.serving.serving_options import read_api_key


def opens(header: str, key: str) -> bool:
    """Whether the header X-API-Key holds the key; compared in the same time whatever it holds.

    Headers are bytes that Starlette reads as Latin-1; a comparison of bytes takes any.
    """
    return hmac.compare_digest(header.encode("latin-1"), key.encode())


def own_key_file(project: Path) -> Path:
    """Where it lies: in the project's work folder, which git does not track."""
    return project / ".hdm" / "serve_key"


def own_key(project: Path) -> str:
    """The project's key, made if there is none; only its owner can read it.

    Raises ConfigError if others can, or if it is no file; HDMError if it cannot be written.
    """
    file = own_key_file(project)
    if not file.exists():
        _make(file)
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid != os.getuid():
        raise ConfigError(f"expected in {file} a key that only you can read, found one that others "
                          "may know; delete it, and a new one is made.")
    return read_api_key("", file) or ""


def _make(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        number, temporary = tempfile.mkstemp(dir=file.parent)  # with mode 0600
        try:
            with os.fdopen(number, "w", encoding="utf-8") as stream:
                stream.write(secrets.token_urlsafe(32) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(FileExistsError):  # of two servers that start at once one makes it
                os.link(temporary, file)
        finally:
            Path(temporary).unlink()
    except OSError as error:
        raise cannot_write(file, error) from error
