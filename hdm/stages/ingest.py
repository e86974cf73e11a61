"""Stage `ingest`: the manifest of a line, from whatever its source folder holds today."""

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hdm.dataset.test_set import change, content_name, describe, in_words
from hdm.files import atomic_folder, write_json
from hdm.ingest.build_manifest import Ingested, ingest
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.test_sets import earlier_test_set, frozen_set

_PATIENCE = 2.0  # seconds before a progress bar appears


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write what `Ingested.save` does, split_table.json and test_set.json, and print the splits.

    test_set.json names the test split by its content.

    Raises DataError if the source cannot be used or an image of the frozen test set is not what it
    was, HDMError if the outputs cannot be written; earlier outputs then stay as they are.
    """
    frozen, before = frozen_set(line), earlier_test_set(line)
    with progress_bar(console, "decoding images", after=_PATIENCE) as progress:
        result = ingest(line.source, line.entry.source, settings.ingest, settings.seed,
                        frozen=frozen, cache=line.work_folder("ingest") / "decoded.parquet",
                        progress=progress, cluster=line.params.compute.cluster)
    rows = result.table.to_dict(orient="records")
    described = describe(result.tested, frozen.name if frozen else None)
    folder = line.stage_folder("ingest")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(folder) as new:
        result.save(new)
        write_json(new / "split_table.json", {"rows": rows, "warnings": result.warnings})
        write_json(new / line.test_set_file.name, described | {"waiting": result.waiting})
    console.print(summary(line.name, result.table))
    console.print(f"test set {in_words(described)}", highlight=False)
    if before is not None and (sentence := change(before, result.tested)):
        console.print(f"[yellow]note[/] {sentence}", highlight=False)
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
