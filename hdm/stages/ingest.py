"""Stage `ingest`: the manifest of a line, from whatever its source folder holds today."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from hdm.dataset.frozen_set import FrozenSet, read_frozen
from hdm.dataset.ingest import Ingested, ingest
from hdm.dataset.manifest import Manifest
from hdm.dataset.test_set import Entry, change, content_name, describe, entries_of, in_words
from hdm.errors import ConfigError, HDMError
from hdm.files import atomic_folder, read_json, write_json
from hdm.line import TEST_SET, Line
from hdm.registry.tracking import StageRun
from hdm.settings import Params

_PATIENCE = 2.0  # seconds before a progress bar appears


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write manifest.parquet, masks.json, split_table.json and test_set.json, and print the splits.

    masks.json holds each mask's hash, so that a corrected mask is noticed; it is a file of its own
    as training does not depend on masks. test_set.json names the test split by its content.

    Raises DataError if the source cannot be used or an image of the frozen test set is not what it
    was, HDMError if the outputs cannot be written; earlier outputs then stay as they are.
    """
    frozen, before = frozen_set(line), earlier_test_set(line)
    with _patient_progress(console, "decoding images") as progress:
        result = ingest(line.source, line.entry.source, settings.ingest, settings.seed,
                        frozen=frozen, cache=line.work_folder("ingest") / "decoded.parquet",
                        progress=progress)
    rows = result.table.to_dict(orient="records")
    described = describe(result.tested, frozen.name if frozen else None)
    folder = line.stage_folder("ingest")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder) as new:
        result.manifest.save(new / "manifest.parquet")
        write_json(new / "masks.json", result.masks)
        write_json(new / "split_table.json", {"rows": rows, "warnings": result.warnings})
        write_json(new / line.test_set_file.name, described | {"waiting": result.waiting})
    console.print(summary(line.name, result.table))
    console.print(f"test set {in_words(described)}", highlight=False)
    if before is not None and (sentence := change(before, result.tested)):
        console.print(f"[yellow]note[/] {sentence}", highlight=False)
    for warning in result.warnings:
        console.print(f"[yellow]note[/] {escape(warning)}", highlight=False)
    _log(run, line, result)


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


def summary(name: str, table: pd.DataFrame) -> Table:
    """The split table: a row a split and defect type, with a sum."""
    shown = Table(title=f"{name}: {int(table['images'].sum())} images", title_justify="left",
                  box=None, pad_edge=False)
    for column in ("split", "defect type"):
        shown.add_column(column)
    for column in ("images", "masks", "parts"):
        shown.add_column(column, justify="right")
    last = ""
    for row in table.itertuples():
        shown.add_row("" if row.split == last else str(row.split), escape(str(row.defect_type)),
                      str(row.images), str(row.masks), str(row.groups))
        last = str(row.split)
    return shown


@contextmanager
def _patient_progress(console: Console, text: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar that only appears for work of more than two seconds."""
    start = time.monotonic()
    bar = Progress(console=console, transient=True)
    task = bar.add_task(text, total=None)

    def update(done: int, total: int) -> None:
        if time.monotonic() - start > _PATIENCE:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


def _log(run: StageRun, line: Line, result: Ingested) -> None:
    counts = result.table.groupby("split")["images"].sum()
    run.log_metrics({"ingest_images": float(len(result.manifest)),
                     **{f"ingest_{split}": float(count) for split, count in counts.items()}})
    run.set_tags({"test_set": content_name(result.tested)})
    run.log_table("split_table", result.table.to_dict(orient="records"))
    for file in ("manifest.parquet", "split_table.json", "test_set.json"):
        run.log_artifact(line.stage_folder("ingest") / file, "ingest")
    if result.warnings:
        run.log_text("ingest/warnings.txt", "\n".join(result.warnings) + "\n")
