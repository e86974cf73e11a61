"""Stage `ingest`: the manifest of a line, from whatever its source folder holds today."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from hdm.dataset.ingest import Ingested, ingest
from hdm.files import atomic_folder, write_json
from hdm.line import Line
from hdm.registry.tracking import StageRun
from hdm.settings import Params

_PATIENCE = 2.0  # seconds before a progress bar appears


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write manifest.parquet, masks.json and split_table.json, and print the split table.

    masks.json holds each mask's hash, so that a corrected mask is noticed; it is a file of its own
    as training does not depend on masks.

    Raises DataError if the source cannot be used, HDMError if the outputs cannot be written;
    earlier outputs then stay as they are.
    """
    with _patient_progress(console, "decoding images") as progress:
        result = ingest(line.source, line.entry.source, settings.ingest, settings.seed,
                        cache=line.work_folder("ingest") / "decoded.parquet", progress=progress)
    rows = result.table.to_dict(orient="records")
    folder = line.stage_folder("ingest")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder) as new:
        result.manifest.save(new / "manifest.parquet")
        write_json(new / "masks.json", result.masks)
        write_json(new / "split_table.json", {"rows": rows, "warnings": result.warnings})
    console.print(summary(line.name, result.table))
    for warning in result.warnings:
        console.print(f"[yellow]note[/] {escape(warning)}", highlight=False)
    _log(run, line, result)


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
    run.log_table("split_table", result.table.to_dict(orient="records"))
    for file in ("manifest.parquet", "split_table.json"):
        run.log_artifact(line.stage_folder("ingest") / file, "ingest")
    if result.warnings:
        run.log_text("ingest/warnings.txt", "\n".join(result.warnings) + "\n")
