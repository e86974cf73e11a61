"""A test set that was given a name: a table that git tracks and ingest keeps to."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hdm.csv_cells import restored, write_rows
from hdm.dataset.problems import listing
from hdm.dataset.test_set import Entry, content_name
from hdm.errors import ConfigError, DataError
from hdm.files import write_text

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_CONTENT_NAME = re.compile(r"test-[0-9a-f]{8}")


@dataclass(frozen=True)
class FrozenSet:
    """A test set of `line` that was given a name; only these images are its test split."""

    line: str
    name: str
    entries: tuple[Entry, ...]


def refuse_changes(frozen: FrozenSet, present: Mapping[str, Entry]) -> None:
    """Raise DataError if an image of the frozen set is not in the source as it was.

    `present`: every image of the source by its path.
    """
    problems = [f"{entry.path} ({problem})" for entry in frozen.entries
                if (problem := _problem(entry, present.get(entry.path)))]
    if problems:
        raise DataError(
            f"{len(problems)} of {len(frozen.entries)} images of the frozen test set "
            f"{frozen.name!r} are not what they were: {listing(problems)}; restore them, or freeze "
            f"what is there now under a new name with `hdm testset freeze {frozen.line}`.")


def _problem(entry: Entry, now: Entry | None) -> str:
    if now is None:
        return "missing"
    if now.sha256 != entry.sha256:
        return "other pixels"
    if (now.label, now.defect_type) != (entry.label, entry.defect_type):
        return f"was {entry.defect_type}, is {now.defect_type}"
    return "" if now.mask_sha256 == entry.mask_sha256 else "another mask"


def frozen_file(folder: Path, name: str) -> Path:
    """The file of the frozen set `name`; raises ConfigError if that cannot name a file."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"test set name {name!r}: expected 1 to 63 characters of a-z, 0-9, '_' "
                          "and '-', starting with a letter or digit; choose another name.")
    return folder / f"{name}.csv"


def write_frozen(folder: Path, name: str, entries: Iterable[Entry]) -> bool:
    """Write a frozen set to `folder`/<name>.csv; False if it is there already.

    Raises ConfigError for a name that cannot be a file's, that claims another content, or that is
    taken by other images.
    """
    file, chosen = frozen_file(folder, name), sorted(entries)
    if _CONTENT_NAME.fullmatch(name) and name != content_name(chosen):
        raise ConfigError(f"test set name {name!r} says that its content is another one than "
                          f"{content_name(chosen)}; choose another name.")
    stream = io.StringIO()
    stream.write(f"# {content_name(chosen)}\n")
    write_rows(stream, Entry._fields, *chosen)
    if file.exists():
        if file.read_text(encoding="utf-8") == stream.getvalue():
            return False
        raise ConfigError(f"the test set {name!r} exists already with other content ({file}), and "
                          "a name never changes its content; choose another name.")
    write_text(file, stream.getvalue())
    return True


def read_frozen(file: Path) -> FrozenSet:
    """Read test_sets/<line>/<name>.csv; raises ConfigError if it is missing or not such a table."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            content = stream.readline().removeprefix("# ").rstrip()
            rows = list(csv.reader(stream))
        if tuple(rows[0]) != Entry._fields:
            raise ValueError(f"its columns are {', '.join(rows[0])}")
        entries = tuple(Entry(path, sha256, int(label), kind, mask) for path, sha256, label, kind,
                        mask in ([restored(cell) for cell in row] for row in rows[1:]))
    except FileNotFoundError:
        known = sorted(other.stem for other in file.parent.glob("*.csv"))
        raise ConfigError(f"there is no frozen test set {file.stem!r} ({file}); the line has: "
                          f"{', '.join(known) or 'none'}.") from None
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(f"{file} is not a frozen test set ({error}); restore it from git."
                          ) from None
    if len({entry.path for entry in entries}) != len(entries):
        raise ConfigError(f"{file} names an image twice; restore it from git.")
    if content != content_name(entries):
        raise ConfigError(f"{file} was edited: its content is {content_name(entries)}, and it was "
                          f"frozen as {content or 'nothing'}; restore it from git: a name never "
                          "changes its content.")
    return FrozenSet(file.parent.name, file.stem, entries)
