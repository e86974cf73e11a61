"""A training's resume point on disk: checked before it is used, with the one before as a reserve.

After a loss of power a file may be there and empty, or hold blocks of zeros. Continued from, it
would end every later attempt; so each begins with the hash of the rest.
"""

import hashlib
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from hdm.files import atomic_file

HASH = hashlib.sha256().digest_size
BEFORE = ".before"


def save_point(file: Path, state: dict[str, Tensor]) -> None:
    """Write it to `file`; the point that was there is kept beside it.

    Raises HDMError when the disk is full or the folder cannot be written to.
    """
    content = save(state)
    with atomic_file(file) as temporary:
        temporary.write_bytes(hashlib.sha256(content).digest() + content)
        if file.exists():
            file.replace(file.with_suffix(BEFORE))


def load_point(file: Path) -> dict[str, Tensor] | None:
    """The newest point at `file` that is whole; None if there is none to go on from."""
    for candidate in (file, file.with_suffix(BEFORE)):
        content = candidate.read_bytes() if candidate.is_file() else b""
        if len(content) > HASH and hashlib.sha256(content[HASH:]).digest() == content[:HASH]:
            return load(content[HASH:])
    return None
