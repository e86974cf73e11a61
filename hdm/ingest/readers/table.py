"""A CSV or Parquet table with one row an image."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hdm.dataset.problems import listing, printable
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Reading, Record
from hdm.ingest.readers.label_columns import judge
from hdm.ingest.readers.label_words import MISSING_WORDS, plain
from hdm.ingest.readers.locating import locate
from hdm.ingest.readers.split_words import OPEN, nearest_split, split_of_word
from hdm.ingest.readers.table_columns import COLUMNS, columns_by_role
from hdm.ingest.readers.table_file import SUFFIXES, load_table
from hdm.pipelines import Source

LAYOUT = (f"a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} table with the columns "
          f"{', '.join(COLUMNS)} (only path is needed) or others of usual names")


def fits(source: Path) -> str:
    """Whether `source` is a file with the suffix of a table."""
    table = source.is_file() and source.suffix.lower() in SUFFIXES
    return source.name if table else ""


def read(source: Path, settings: Source | None = None) -> Reading:
    """All rows; paths are relative to the table's folder.

    An empty split, or one for validation, is left to the pipeline. What is good is told by the
    columns of label_columns.judge; `settings.columns` may say which these are. Raises DataError
    for what is not understood, a path that leaves the folder, is missing or occurs twice.
    """
    said = {str(role): name for role, name in settings.columns.items()} if settings else {}
    table, notes = load_table(source)
    columns, unread = columns_by_role(source, table, said)
    if not len(table):
        return Reading([], (source.name,))
    paths = list(table[columns["path"][0]])
    empty = [f"row {number}" for number, path in zip(table.index, paths, strict=True) if not path]
    if empty:
        raise DataError(f"{source}: expected a file in every row of path, found an empty cell in "
                        f"{listing(empty)}; fill it in or remove the row.")
    splits, left = _splits(source, table, columns, paths)
    images = locate(source.parent, paths, source.name)
    # What the folders say counts, too, and a bare name does not tell its folder.
    there = table.assign(**{columns["path"][0]: list(images.paths)})
    kinds, judged = judge(source, there, columns, said)
    _refuse_repeats(source, table, images.paths)
    masks, found = _masks(source, table, columns)
    groups = list(table[columns["group"][0]]) if columns["group"] else [""] * len(paths)
    records = [Record(path, split, kind, mask, group or None) for path, split, kind, mask, group
               in zip(images.paths, splits, kinds, masks, groups, strict=True)]
    return Reading(records, (source.name,),
                   notes=(*notes, *unread, *judged, *left, *images.notes, *found))


def _refuse_repeats(source: Path, table: pd.DataFrame, paths: Sequence[str]) -> None:
    files = pd.Series(paths, index=table.index)
    twice = files[files.duplicated()]
    if len(twice):
        raise DataError(f"{source}: {printable(twice.iloc[0])!r} occurs twice ({len(twice)} rows "
                        "repeat a path); keep one row an image.")


def _masks(source: Path, table: pd.DataFrame, columns: dict[str, list[str]],
           ) -> tuple[list[tuple[str, ...]], list[str]]:
    cells = list(table[columns["mask_path"][0]]) if columns["mask_path"] else [""] * len(table)
    names = ["" if not plain(cell) or plain(cell) in MISSING_WORDS else cell for cell in cells]
    found = locate(source.parent, [name for name in names if name], source.name, "masks")
    files = iter(found.paths)
    return [(next(files),) if name else () for name in names], found.notes


def _splits(source: Path, table: pd.DataFrame, columns: dict[str, list[str]],
            paths: Sequence[str]) -> tuple[list[str | None], list[str]]:
    if not columns["split"]:
        return [None] * len(table), []
    name = columns["split"][0]
    words = list(table[name])
    for word, path in zip(words, paths, strict=True):
        if word and not split_of_word(word):
            near = nearest_split(word)
            hint = f"did you mean {near!r}?" if near else \
                "expected train, calibration, test, holdout, val or empty."
            raise DataError(f"{source}: unknown split {word!r} of {path}; {hint}")
    splits = [split_of_word(word) if word else None for word in words]
    left = splits.count(OPEN)
    notes = [f"{left} rows are for validation: their split is left to the pipeline."] if left \
        else []
    return [None if split == OPEN else split for split in splits], notes
