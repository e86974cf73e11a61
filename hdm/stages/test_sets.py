"""Which test set a line is measured on: resolved by configure, checked by ingest."""

import hashlib

from hdm.dataset.frozen_set import FrozenSet, frozen_file, read_frozen
from hdm.dataset.manifest import Manifest
from hdm.dataset.test_set import Entry, entries_of
from hdm.errors import ConfigError, HDMError
from hdm.files import read_json
from hdm.line import TEST_SET, Line


def resolved_test_set(line: Line) -> dict[str, str]:
    """Name, file relative to the project and SHA-256 of the line's frozen set."""
    file = frozen_file(line.frozen_folder, line.entry.test_set)
    frozen = read_frozen(file)
    return {"name": frozen.name, "file": file.relative_to(line.project).as_posix(),
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def frozen_set(line: Line) -> FrozenSet | None:
    """The frozen test set that `configure` resolved; None if the line has none.

    Raises ConfigError if its file is missing, damaged or not the one that was resolved.
    """
    file = line.settings_file("ingest")
    resolved = read_json(file).get(TEST_SET) if file.is_file() else None
    if not resolved:
        return None
    table = line.project / resolved["file"]
    frozen = read_frozen(table)
    if hashlib.sha256(table.read_bytes()).hexdigest() != resolved["sha256"]:
        raise ConfigError(f"{table} has changed since the settings were resolved; run `dvc repro "
                          f"ingest@{line.name}`.")
    return frozen


def earlier_test_set(line: Line) -> tuple[Entry, ...] | None:
    """The test set of the last ingest, whose outputs are still there; None if there was none."""
    try:
        manifest = Manifest.load(line.manifest_file, line.source_root)
        return entries_of(manifest, read_json(line.stage_folder("ingest") / "masks.json"))
    except (HDMError, KeyError):
        return None
