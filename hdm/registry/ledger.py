"""Which MLflow run made each stage's outputs, kept outside DVC's sight.

DVC skips a stage whose inputs did not change, so the run that made its outputs may be from last
month. The ledger keeps that link. It must not be a DVC output: run ids in an output would rerun
everything that follows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from hdm.errors import HDMError
from hdm.files import read_json, write_json
from hdm.line import Line

RETRAIN = "retrain"
OPEN = "open:"  # prefix of a stage that has started and not ended


class Link(NamedTuple):
    """One run: its id and the key of the store that it is in."""

    run_id: str
    store: str


def ledger_file(line: Line) -> Path:
    """data/<line>/ledger.json."""
    return line.folder / "ledger.json"


def read_ledger(line: Line) -> dict[str, Link]:
    """All links of the line; an absent or damaged ledger is an empty one, as it can be rebuilt."""
    try:
        content = read_json(ledger_file(line))
        return {name: Link(str(entry["run_id"]), str(entry["store"]))
                for name, entry in content.items()}
    except (HDMError, OSError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
        return {}


def stage_links(line: Line) -> dict[str, Link]:
    """The run that made the present outputs of each stage."""
    return {name: link for name, link in read_ledger(line).items()
            if name != RETRAIN and not name.startswith(OPEN)}


@contextmanager
def edit_ledger(line: Line) -> Iterator[dict[str, Link]]:
    """Yield the links to change; they are written back atomically when the block succeeds."""
    with FileLock(lock_folder(line.project) / f"ledger-{line.name}.lock", timeout=30):
        links = read_ledger(line)
        yield links
        write_json(ledger_file(line), {name: link._asdict() for name, link in links.items()})


def lock_folder(project: Path) -> Path:
    """The project's .hdm folder, made if missing."""
    folder = project / ".hdm"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HDMError(f"cannot create {folder}: {error.strerror}; make the project's folder "
                       "writable.") from None
    return folder
