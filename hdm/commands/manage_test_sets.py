"""`hdm testset`: freezing the images that a line is measured on."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.console import Console
from hdm.dataset.frozen_set import FrozenSet, frozen_file, read_frozen, write_frozen
from hdm.dataset.manifest import Manifest
from hdm.dataset.test_set import Entry, content_name, describe, in_words
from hdm.errors import DataError
from hdm.files import read_json
from hdm.ingest.build_manifest import ingest, present_entries
from hdm.line import Line
from hdm.orchestration.pipelines_file import set_key
from hdm.progress import progress_bar
from hdm.terminal import say

app = typer.Typer(help="Freeze the test set of a line under a name, or look at it.",
                  no_args_is_help=True, rich_markup_mode=None)


@app.command()
def freeze(
    line: LineName,
    name: Annotated[str, typer.Option(help="Default: a name that follows from its content.")] = "",
    add_waiting: Annotated[bool, typer.Option("--add-waiting", help=(
        "Take the images in that wait outside the present frozen set."))] = False,
) -> None:
    """Freeze the present test images of a line as they are now; nothing else is tested from then.
    """
    chosen = Line.load(line)
    entries, gone = _retaken(chosen, add_waiting)
    if not entries:
        raise DataError(f"expected test images of {line} to freeze, found none of them; add images "
                        "and run the ingest stage first.")
    name = name or content_name(entries)
    fresh = write_frozen(chosen.frozen_folder, name, entries)
    set_key(chosen.project, line, ["test_set"], name)
    if gone:
        say(f"{gone} images are no longer in the source and were left out")
    say(in_words(describe(entries, name)))
    file = (chosen.frozen_folder / f"{name}.csv").relative_to(chosen.project)
    say(f"{file} {'written' if fresh else 'was there already'}, test_set: {name} set in "
        "pipelines.yaml; commit both to git.")


@app.command("list")
def list_sets(line: LineName, as_json: AsJson = False) -> None:
    """List the frozen test sets of a line and which of them is used."""
    chosen = Line.load(line)
    found = [_listed(file, chosen.entry.test_set)
             for file in sorted(chosen.frozen_folder.glob("*.csv"))]
    if as_json:
        print_json(found)
        return
    table = Table("name", "content", Column("good", justify="right"),
                  Column("defective", justify="right"), "used")
    for one in found:
        table.add_row(one["name"], one["content"], str(one["good"]), str(one["defective"]),
                      "yes" if one["used"] else "")
    if not table.row_count:
        say(f"{line} has no frozen test set; `hdm testset freeze {line}` makes one.")
        return
    console = Console()
    Console(width=max(console.width, 90)).print(table)


@app.command()
def show(line: LineName, as_json: AsJson = False) -> None:
    """Show what the line was measured on last, and how many images wait outside."""
    chosen = Line.load(line)
    described = read_json(chosen.test_set_file)
    if as_json:
        print_json(described)
        return
    say(in_words(described))
    table = Table("defect type", Column("images", justify="right"))
    for kind, count in described["defect_types"].items():
        table.add_row(kind, str(count))
    Console().print(table)
    if waiting := described["waiting"]:
        say(f"{len(waiting)} images wait outside, first {waiting[0]}; `hdm testset freeze {line} "
            "--add-waiting` makes a new set with them.")
    if not described["frozen_as"]:
        say(f"It is not frozen: new images may change it. `hdm testset freeze {line}` freezes "
            "it.")


def _listed(file: Path, used: str) -> dict[str, Any]:
    """What a frozen test set is; used: the name of the one that is."""
    entries = read_frozen(file).entries
    defects = sum(entry.label for entry in entries)
    return {"name": file.stem, "content": content_name(entries), "good": len(entries) - defects,
            "defective": defects, "used": file.stem == used}


def _retaken(line: Line, add_waiting: bool) -> tuple[list[Entry], int]:
    """The images of the present test set as they are in the source today, with those that wait if
    wanted; and how many are gone."""
    used = line.entry.test_set
    paths = [entry.path for entry in
             read_frozen(frozen_file(line.frozen_folder, used)).entries] if used else \
        list(Manifest.load(line.manifest_file, line.source_root).split("test").frame["path"])
    cache = line.work_folder("ingest") / "decoded.parquet"
    with progress_bar(Console(stderr=True), "reading images") as report:
        present = present_entries(line.source, line.entry.source, line.params.ingest,
                                  cache=cache, progress=report)
    kept = [present[path] for path in paths if path in present]
    if add_waiting:
        found = ingest(line.source, line.entry.source, line.params.ingest, line.params.seed,
                       frozen=FrozenSet(line.name, used, tuple(kept)), cache=cache)
        return [*kept, *(present[path] for path in found.waiting)], len(paths) - len(kept)
    return kept, len(paths) - len(kept)
