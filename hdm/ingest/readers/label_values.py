"""What the cells of a column say of a part, where its name says how they are meant."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from hdm.dataset.manifest import GOOD
from hdm.ingest.readers.label_words import (
    BAD_WORDS,
    DEFECT,
    FALSE_WORDS,
    GOOD_WORDS,
    MISSING_WORDS,
    NOTHING_WORDS,
    TRUE_WORDS,
    number,
    plain,
    told_by_path,
    words_of,
)

_NUMBERED = frozenset({"label", "labels", "target", "targets", "y", "class", "classes", "gtlabel",
                       "groundtruthlabel"})
"""Columns in which, as is usual in anomaly detection, 0 is good and 1 a defect."""
_FEW = 20  # different values that a column of labels has at most
_MOSTLY = 0.6  # share of cells that agree where they may say that most parts are good
_DASHES = frozenset("-–—/")
_NEGATIONS = frozenset("!≠¬~-–—")
_CIRCUMSTANCES = words_of("""
    camera cam kamera lens light lighting licht station line linie machine maschine plant werk
    factory site shift schicht operator worker user bediener date datum day time zeit timestamp
    lot batch charge los order auftrag product produkt article artikel model variant version type
    side seite view angle position pose sensor format size width height channels source session
    supplier material colour color farbe""")
_BINARY = ({"0", "1"}, {"true", "false"}, {"yes", "no"}, {"ja", "nein"}, {"y", "n"})


class Column(NamedTuple):
    """A column of a table. role: of table_columns.LABELS. chosen: a person has said the role."""

    name: str
    role: str
    cells: tuple[str, ...]
    chosen: bool = False

    @property
    def numbered(self) -> bool:
        """Whether 0 is good and 1 a defect by custom alone."""
        return self.role == "label" and (self.chosen or plain(self.name) in _NUMBERED)


Verdicts = list[str | None]
"""GOOD, DEFECT or the name of a defect a row; None where nobody has judged."""


def understand(column: Column) -> Verdicts | None:
    """What each cell says; None if a value is not understood, or nothing says which one is good."""
    told = meanings(column)
    known = set(told.values())
    named = known - {GOOD, DEFECT, "", None}
    if None in known or (named and GOOD not in known):
        return None
    return [told[cell] or None for cell in column.cells]


def meanings(column: Column) -> dict[str, str | None]:
    """Value -> GOOD, DEFECT, the name of a defect, '' (not judged), or None (not understood)."""
    return {value: _meaning(value, column) for value in sorted(set(column.cells))}


def _meaning(value: str, column: Column) -> str | None:
    word, digits = plain(value), number(value)
    asks_defect = column.role in ("is_defect", "defect_type")
    if not value or (value.casefold() in MISSING_WORDS and value.casefold() != "none"):
        return ""
    if asks_defect and (word in NOTHING_WORDS or set(value) <= _DASHES):
        return GOOD
    if not word or word in MISSING_WORDS:
        return ""
    if word in GOOD_WORDS | BAD_WORDS and ("?" in value or value[0] in _NEGATIONS):
        return None  # `OK?` and `!ok` are no plain words
    if word in GOOD_WORDS or word in BAD_WORDS:
        return GOOD if word in GOOD_WORDS else DEFECT
    truth = digits or word
    if truth in TRUE_WORDS | FALSE_WORDS or digits:
        return _truth(truth, column)
    return value


def _truth(value: str, column: Column) -> str | None:
    yes = True if value in TRUE_WORDS else False if value in FALSE_WORDS else None
    custom = column.numbered and value in ("0", "1", "true", "false")
    if yes is None or not (custom or column.role in ("is_good", "is_defect")):
        return None
    return GOOD if yes == (column.role == "is_good") else DEFECT


def is_blank_or_good(value: str) -> bool:
    """Whether a cell names no defect."""
    word = plain(value)
    return not word or word in MISSING_WORDS | NOTHING_WORDS | GOOD_WORDS or number(value) == "0"


def looks_like_labels(cells: Sequence[str]) -> bool:
    """Whether a column of an unknown name has the values of a label: words for good and others,
    words for bad, or two truth values."""
    words = {plain(cell) for cell in cells if plain(cell) not in MISSING_WORDS}
    digits = {number(cell) or plain(cell) for cell in cells if plain(cell)}
    if not words or len(words) > _FEW:
        return False
    good, bad = words & GOOD_WORDS, words & BAD_WORDS
    return bool(bad) or bool(good and words - good) or digits in _BINARY


def may_name_defects(name: str, cells: Sequence[str]) -> bool:
    """Whether a column of an unknown name may say which parts are defective, in words of its own:
    it speaks of a usual defect, or a few words repeat while most cells agree, as most parts are
    good. Columns that are named after where and when a picture was taken are not meant."""
    words = [plain(cell) for cell in cells]
    if any(told_by_path(f"{word}/x") == DEFECT for cell in set(cells)
           for word in re.findall(r"[^\W\d_]+", cell)):
        return True
    counts = Counter(words)
    return plain(name).rstrip("0123456789") not in _CIRCUMSTANCES and 2 <= len(counts) <= _FEW \
        and all(not number(cell) for cell in cells) \
        and counts.most_common(1)[0][1] >= _MOSTLY * len(cells)


def says_good_and_bad(cells: Sequence[str]) -> bool:
    """Whether a column holds a word for good and one for bad."""
    words = {plain(cell) for cell in cells}
    return bool(words & GOOD_WORDS and words & BAD_WORDS)
