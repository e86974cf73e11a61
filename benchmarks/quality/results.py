"""The rows that were measured: one JSON list a preset, replaced as a whole at each change."""

import json
from pathlib import Path
from typing import Any

from hdm.errors import HDMError
from hdm.files import read_json, write_text

RESULTS = Path(__file__).parent / "results"
KEY = ("set", "method", "preset", "seed")
Row = dict[str, Any]


def read_rows(file: Path) -> list[Row]:
    """All rows of a results file, none if there is no file; raises HDMError if it is damaged."""
    if not file.exists():
        return []
    rows = read_json(file)
    if not isinstance(rows, list) or not all(
            isinstance(row, dict) and set(KEY) <= set(row) for row in rows):
        raise HDMError(f"{file}: expected a list of rows with the keys {', '.join(KEY)}; restore "
                       "it from git or delete it and measure again.")
    return rows


def add_row(file: Path, row: Row) -> list[Row]:
    """Put `row` in the place of one with the same key, or beside the others; returns all rows."""
    rows = [other for other in read_rows(file) if key(other) != key(row)] + [row]
    rows.sort(key=key)
    lines = (json.dumps(one, sort_keys=True, allow_nan=False) for one in rows)
    write_text(file, "[\n" + ",\n".join(lines) + "\n]\n")  # a row a line, for readable changes
    return rows


def key(row: Row) -> tuple[Any, ...]:
    """What a row is a result of."""
    return tuple(row[name] for name in KEY)


def find(rows: list[Row], **values: Any) -> Row | None:
    """The row that has these values."""
    return next((row for row in rows if all(row[k] == v for k, v in values.items())), None)
