"""From the columns of a table to one defect type a row: read where it is clear, asked elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.label_doubts import Rows
from hdm.ingest.readers.label_values import Column, Verdicts, is_blank_or_good, understand
from hdm.ingest.readers.label_words import DEFECT, kind_of_word, plain
from hdm.ingest.readers.table_columns import LABELS

_MEANT = frozenset({"label", "labels", "target", "targets", "y"})
"""Columns that can be nothing else; `type`, `class` and others may also be a product's."""


def judge(file: Path, table: pd.DataFrame, columns: Mapping[str, list[str]],
          said: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Defect type of each row, and sentences about what was assumed.

    columns: role -> names, as in table_columns. said: roles that a person has given. Several
    columns that agree are one. Raises DataError with the question where no column is understood,
    two disagree, rows have no label, 0 and 1 may be meant the other way round, or a column or a
    folder nobody has named says something else.
    """
    given = [Column(name, role, tuple(table[name]), role in said)
             for role in LABELS for name in columns[role]]
    given = [column for column in given if any(column.cells)]
    used = {name for names in columns.values() for name in names}
    rows = Rows(file, tuple(table.index), tuple(table[columns["path"][0]]),
                {str(name): tuple(table[name]) for name in table.columns if name not in used},
                trusted=bool(set(LABELS) & set(said)))
    read = {column: found for column in given if (found := understand(column)) is not None}
    if not read:
        if given:
            raise rows.not_understood(given[0])
        rows.refuse_hints()
        return [GOOD] * len(table), [f"{file.name} has no label column: all {len(table)} images "
                                     "are taken as good."]
    merged = _merged(rows, read)
    rows.refuse_reversed(list(read), merged)
    notes = [_named(rows, column, merged) for column in given if column not in read]
    rows.refuse_missing(merged)
    kinds = _spelt_alike([str(kind) for kind in merged])
    rows.refuse_contradictions(kinds)
    return kinds, [note for note in notes if note]


def _merged(rows: Rows, read: Mapping[Column, Verdicts]) -> Verdicts:
    """One verdict a row from all columns that were understood; a defect's name goes before none."""
    merged: Verdicts = [None] * len(rows.index)
    first: dict[int, Column] = {}
    apart: list[str] = []
    for column, verdicts in read.items():
        for place, verdict in enumerate(verdicts):
            known = merged[place]
            # Beside a label an empty cell of defect_type names no defect; it does not judge.
            if verdict is None:
                continue
            if known is None:
                merged[place], first[place] = verdict, column
            elif (known == GOOD) != (verdict == GOOD):
                other = first[place]
                apart.append(f"{rows.name(place)}: {other.name} {other.cells[place]!r}, "
                             f"{column.name} {column.cells[place]!r}")
            elif known == DEFECT or (column.role == "defect_type" and verdict != DEFECT):
                merged[place] = verdict
    if apart:
        raise DataError(f"{rows.file}: the columns {listing([repr(c.name) for c in read])} "
                        f"disagree on {len(apart)} of {len(merged)} rows ({listing(apart)}); "
                        "correct them, or name the right one in source.columns of pipelines.yaml.")
    return merged


def _named(rows: Rows, column: Column, merged: Verdicts) -> str:
    """Let a column that says nothing of good parts name the defects in `merged`.

    Returns a sentence if it is about something else, as it has names on good parts, too. Raises
    DataError if it ought to be about defects, by its own name.
    """
    named = [place for place, cell in enumerate(column.cells)
             if merged[place] == GOOD and not is_blank_or_good(cell)]
    if named and (column.role != "label" or plain(column.name) in _MEANT):
        said = [f"{rows.name(place)}: {column.cells[place]!r}" for place in named]
        raise DataError(f"{rows.file}: the column {column.name!r} names a defect in {len(named)} "
                        f"rows that are good by another column ({listing(said)}); correct one of "
                        "them, or name the right one in source.columns of pipelines.yaml.")
    if named:
        shown = listing([repr(value) for value in sorted(set(column.cells)) if value])
        return f"The column {column.name!r} ({shown}) does not tell good from bad; it is not read."
    for place, cell in enumerate(column.cells):
        if merged[place] == DEFECT and not is_blank_or_good(cell):
            merged[place] = kind_of_word(cell)
    return ""


def _spelt_alike(kinds: Sequence[str]) -> list[str]:
    """`Dent` and `dent` are one kind, written as it is written most often."""
    counts = pd.Series(list(kinds), dtype=object).value_counts(sort=False)
    best: dict[str, str] = {}
    for kind in sorted(counts.index, key=lambda kind: (-counts[kind], kind)):
        best.setdefault(kind.casefold(), kind)
    return [best[kind.casefold()] for kind in kinds]
