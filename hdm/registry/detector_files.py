"""A line's own detector folder as it is registered, and what a detector folder is known by."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hdm.line import Line
from hdm.registry.recorded_outputs import check_recorded


@contextmanager
def assembled(line: Line) -> Iterator[Path]:
    """A copy of the line's own detector with the operating point that was evaluated, for a while.

    Without a detector, a folder that does not exist. Raises HDMError if its files are not those
    that were made by the stages.
    """
    check_trained(line)
    detector = line.detector_folder
    operating_point = line.operating_point_file
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "detector"
        if detector.is_dir():
            shutil.copytree(detector, folder)
            if operating_point.is_file():
                shutil.copyfile(operating_point, folder / operating_point.name)
        yield folder


def check_trained(line: Line) -> None:
    """Raise HDMError if the line's own detector or its operating point is there and is not what
    the stages made."""
    if line.detector_folder.is_dir():
        check_recorded(line, "ddm_train", line.stage_folder("ddm_train"))
        if line.operating_point_file.is_file():
            check_recorded(line, "evaluate", line.operating_point_file)


def fingerprint(folder: Path) -> str:
    """SHA-256 over names and contents of all files of a detector folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}:{content}\n".encode())
    return digest.hexdigest()
