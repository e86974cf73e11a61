"""A whole dvc.lock: DVC writes it in place, and killed while it does so it leaves half a file.

Every later run of every line would then end in "dvc.lock validation failed"; without the file
everything would be computed again. So a copy of the last whole one is kept in .hdm/, and replaces
one that is damaged or lost. An old copy does no harm: DVC compares what it says with the files.
"""

import time
from pathlib import Path

from ruamel.yaml import YAML, YAMLError

from hdm.files import atomic_file
from hdm.registry.ledger import lock_folder

NAME = "dvc.lock"
TRIES, PAUSE = 4, 0.5  # another line's DVC may be writing at this moment


def keep_whole(project: Path) -> bool:
    """Save a copy of dvc.lock, or put the copy in the place of a damaged or lost one.

    Returns whether it had to be replaced; without a copy a damaged file is moved aside to
    dvc.lock.damaged. Raises HDMError if nothing can be written.
    """
    file, copy = project / NAME, lock_folder(project) / NAME
    for left in reversed(range(TRIES)):
        if not file.is_file():
            if copy.is_file():
                _write(file, copy.read_bytes())
            return copy.is_file()
        content = file.read_bytes()
        if whole(content):
            if not copy.is_file() or copy.read_bytes() != content:
                _write(copy, content)
            return False
        if left:
            time.sleep(PAUSE)
    file.rename(file.with_name(f"{NAME}.damaged"))
    if copy.is_file():
        _write(file, copy.read_bytes())
    return True


def whole(content: bytes) -> bool:
    """Whether DVC would read it: a mapping of stages, each with its command."""
    try:
        found = YAML(typ="safe").load(content.decode("utf-8"))
        return "schema" in found and all("cmd" in stage for stage in found["stages"].values())
    except (YAMLError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
        return False


def _write(target: Path, content: bytes) -> None:
    with atomic_file(target) as temporary:
        temporary.write_bytes(content)
