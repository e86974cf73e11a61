"""A whole dvc.lock: DVC writes it in place, and killed while it does so it leaves half a file.

Every later run of every line would then end in "dvc.lock validation failed"; without the file
everything would be computed again. So a copy of the last whole one is kept in .hdm/, and replaces
one that is damaged or lost. An old copy does no harm: DVC compares what it says with the files.
What the store probe's own dvc.lock says (data/dvc.yaml) is looked for anew each time, so that one
that is damaged is deleted.
"""

import re
import time
from pathlib import Path

from ruamel.yaml import YAML, YAMLError

from hdm.files import atomic_file
from hdm.registry.ledger import lock_folder

NAME = "dvc.lock"
HEAD = "schema: '2.0'\nstages:\n"
STAGE = re.compile(r"^  (?P<stage>[\w-]+)(?:@(?P<line>[\w-]+))?:\n(?:    .*\n)+", re.MULTILINE)
OF_THE_PROBE = Path("data", NAME)
TRIES, PAUSE = 4, 0.5  # another line's DVC may be writing at this moment


def keep_whole(project: Path) -> bool:
    """Save a copy of dvc.lock, or put the copy in the place of a damaged or lost one.

    Returns whether it had to be replaced; without a copy a damaged file is moved aside to
    dvc.lock.damaged. Raises HDMError if nothing can be written.
    """
    if probe_cut_off(project):
        (project / OF_THE_PROBE).unlink(missing_ok=True)
    file, copy = project / NAME, lock_folder(project) / NAME
    for left in reversed(range(TRIES)):
        if not file.is_file():
            if copy.is_file():
                _write(file, copy.read_bytes())
            return copy.is_file()
        content, kept = file.read_bytes(), copy.read_bytes() if copy.is_file() else b""
        if whole(content, kept):
            if content != kept:
                _write(copy, content)
            return False
        if left:
            time.sleep(PAUSE)
    file.rename(file.with_name(f"{NAME}.damaged"))
    if copy.is_file():
        _write(file, copy.read_bytes())
    return True


def probe_cut_off(project: Path) -> bool:
    """Whether the store probe's own dvc.lock is there and is not a whole file."""
    file = project / OF_THE_PROBE
    return file.is_file() and not whole(file.read_bytes())


def whole(content: bytes, known: bytes = b"") -> bool:
    """Whether DVC would read it: a mapping of stages, each with its command.

    known: one that is whole, of which no stage is read again: a hundred lines take seconds.
    """
    try:
        text = content.decode("utf-8")
        records, before = records_of(text), records_of(known.decode("utf-8"))
        if records and before:
            new = [one for name, one in records.items() if before.get(name) != one]
            if not new:
                return True
            text = HEAD + "".join(new)
        found = YAML(typ="safe").load(text)
        return "schema" in found and all("cmd" in stage for stage in found["stages"].values())
    except (YAMLError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
        return False


def records_of(text: str) -> dict[str, str] | None:
    """The text of each stage by its name, in order; None where there is anything else."""
    found = {match[0].split(":", 1)[0].strip(): match[0] for match in STAGE.finditer(text)}
    return found if text == HEAD + "".join(found.values()) else None


def _write(target: Path, content: bytes) -> None:
    with atomic_file(target) as temporary:
        temporary.write_bytes(content)
