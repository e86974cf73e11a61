"""Cells of CSV files that people open in a spreadsheet, where some texts would be run as formulas.

A text that begins like one gets an apostrophe before it, which spreadsheets show or hide and never
run; `restored` takes it off again.
"""

import csv
import re
from collections.abc import Iterable
from typing import IO, Any

FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def defused(cell: Any) -> Any:
    """`cell` as it may be written: texts that a spreadsheet would run begin with an apostrophe.
    Numbers, also as texts, stay what they are."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) and not _number(cell) \
        else cell


def restored(cell: str) -> str:
    """The inverse of `defused`, for texts."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def write_rows(stream: IO[str], *rows: Iterable[Any]) -> None:
    """Append rows, each cell defused. Texts are quoted, so that no part of one becomes a cell of
    its own where semicolons or tabs separate."""
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows(
        [[defused(cell) for cell in row] for row in rows])


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()  # a tab or return before a number is read over by `float` alone
