"""A table as text: CSV in the encodings and with the delimiters of plants, or Parquet."""

import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa

from hdm.dataset.problems import listing
from hdm.errors import DataError

SUFFIXES = (".tsv", ".csv", ".parquet")
_DELIMITERS = ",;\t|"


def load_table(file: Path) -> tuple[pd.DataFrame, list[str]]:
    """All cells as text, '' where empty, and sentences about what had to be assumed.

    Rows without any cell are left out; rows count from 2, as in a spreadsheet (the index). Raises
    DataError if the file is no table, a row has too many cells, or two columns share a name.
    """
    try:
        if file.suffix.lower() == ".parquet":
            frame = pd.read_parquet(file)
            frame = pd.DataFrame({str(name): [_text(value) for value in frame[name]]
                                  for name in frame.columns}, dtype=object)
            frame.index = pd.RangeIndex(2, len(frame) + 2)
            return frame, []
        text, notes = _decoded(file)
        return _csv(file, text), notes
    except (ValueError, OSError, pa.ArrowException, csv.Error) as error:
        detail = " ".join(str(error).split())[:160]
        raise DataError(f"{file} is not a readable table ({detail}); write it as UTF-8 CSV or "
                        "Parquet.") from None


def _text(value: object) -> str:
    missing = value is None or value is pd.NaT or value is pd.NA or value != value
    return "" if missing else str(value).strip()


def _decoded(file: Path) -> tuple[str, list[str]]:
    data = file.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16"), []
    if b"\0" in data[:200]:
        wide = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        return data.decode(wide), [f"{file.name} says no encoding; it is read as {wide.upper()}."]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        # What Windows writes in western Europe; five bytes mean nothing there.
        return data.decode("cp1252", "replace"), [
            f"{file.name} is not UTF-8; it is read as Latin-1 (Windows-1252)."]


def _csv(file: Path, text: str) -> pd.DataFrame:
    lines = text.splitlines(keepends=True)
    delimiter = None
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        delimiter = lines.pop(0).strip()[4]  # how Excel is told
    if not lines:
        raise ValueError("it is empty")
    delimiter = delimiter or max(_DELIMITERS, key=lines[0].count)
    rows = [[cell.strip() for cell in row]
            for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)]
    header = rows[0]
    while header and not header[-1]:
        header.pop()
    header = [name or f"column {number}" for number, name in enumerate(header, 1)]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{file}: two columns are named {twice[0]!r}; rename one of them.")
    found = {number: row for number, row in enumerate(rows[1:], 2) if any(row)}
    long = [str(number) for number, row in found.items() if any(row[len(header):])]
    if long:
        raise DataError(f"{file}: expected {len(header)} cells a row, found more in row "
                        f"{listing(long)}; put cells with {delimiter!r} into quotes.")
    cells = [(row + [""] * len(header))[:len(header)] for row in found.values()]
    return pd.DataFrame(cells, columns=header, index=list(found), dtype=object)
