"""Questions about a table's labels: whatever might mean that a defect is learned as good."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.label_values import (
    Column,
    Verdicts,
    looks_like_labels,
    may_name_defects,
    meanings,
    says_good_and_bad,
    understand,
)
from hdm.ingest.readers.label_words import DEFECT, number, told_by_path

_SHOWN = 10
_FAR_MORE = 2
"""Where defects outnumber good parts by more, 0 and 1 may be meant the other way round: most parts
are good."""


@dataclass(frozen=True)
class Rows:
    """A table, as far as its labels are questioned.

    index: numbers of the rows, as a person counts them. others: columns of unknown names. trusted:
    a person has said which columns are the labels, so only those are asked.
    """

    file: Path
    index: tuple[int, ...]
    paths: tuple[str, ...]
    others: dict[str, tuple[str, ...]]
    trusted: bool

    def name(self, place: int) -> str:
        """A row in words."""
        return f"row {self.index[place]}, {self.paths[place]}"

    def not_understood(self, column: Column) -> DataError:
        """The question what a column means."""
        shown = [f"{value!r}" + (f" (read as {meaning})" if meaning in (GOOD, DEFECT) else "")
                 for value, meaning in meanings(column).items() if value]
        return DataError(f"{self.file}: the column {column.name!r} holds "
                         f"{listing(shown, _SHOWN)}: which of them is good? Write good there, or "
                         f"{_answer(column.name)}; `{{label: ''}}` if it is about something else "
                         "and all images are good.")

    def refuse_hints(self) -> None:
        """A table without labels, where something looks like one, or paths tell of defects."""
        if self.trusted:
            return
        for name, cells in self.others.items():
            if looks_like_labels(cells) or may_name_defects(name, cells):
                shown = listing(sorted(set(cells) - {""}), _SHOWN)
                raise DataError(f"{self.file}: no column is known to say which images are good, "
                                f"and {name!r} holds {shown}: is it the label? Rename it to label, "
                                f"or {_answer(name)}; with `{{label: ''}}` all images are good.")
        told = [told_by_path(path) for path in self.paths]
        bad = [path for path, word in zip(self.paths, told, strict=True)
               if word == DEFECT or (GOOD in told and not word)]
        if bad:
            raise DataError(f"{self.file}: no column says which images are good, and by their "
                            f"paths {len(bad)} of {len(told)} may be defects ({listing(bad)}); add "
                            "a column label, or say `source: {columns: {label: ''}}` in "
                            "pipelines.yaml if all are good.")

    def refuse_reversed(self, columns: Sequence[Column], merged: Verdicts) -> None:
        """0 and 1 alone say what is good, and by far most are 1."""
        good, bad = merged.count(GOOD), sum(kind not in (GOOD, None) for kind in merged)
        by_custom = all(column.numbered and _in_truth_values(column) for column in columns)
        if by_custom and bad > _FAR_MORE * good and GOOD not in _by_folder(self.paths):
            name = columns[0].name
            raise DataError(f"{self.file}: the column {name!r} says 1 in {bad} rows and 0 in "
                            f"{good}: is 1 a defect? Rename the column to is_defect or is_good, "
                            f"or {_answer(name)}.")

    def refuse_missing(self, merged: Verdicts) -> None:
        """Rows that nobody has judged, beside others."""
        missing = [self.name(place) for place, kind in enumerate(merged) if not kind]
        if missing:
            raise DataError(f"{self.file}: {len(missing)} of {len(merged)} rows have no label, "
                            f"where others have one ({listing(missing)}); fill them in, or take "
                            "the rows out.")

    def refuse_contradictions(self, kinds: Sequence[str]) -> None:
        """Unread columns that say good and bad, or folders, of which one says the opposite."""
        if self.trusted:
            return
        for name, cells in self.others.items():
            if _names_defect(name):  # one column a kind, as Roboflow's _classes.csv
                self._refuse_apart(f"the column {name!r}, which is not read,", kinds,
                                   [DEFECT if number(cell) == "1" else None for cell in cells],
                                   _answer(name))
            verdicts = understand(Column(name, "label", cells))
            if verdicts and says_good_and_bad(cells):
                self._refuse_apart(f"the column {name!r}, which is not read,", kinds, verdicts,
                                   _answer(name))
        told: Verdicts = [word or None for word in _by_folder(self.paths)]
        if len(set(told)) > 1:
            self._refuse_apart("the folder", kinds, told, "name the columns in source.columns of "
                               "pipelines.yaml if they are right")

    def _refuse_apart(self, what: str, kinds: Sequence[str], verdicts: Verdicts,
                      answer: str) -> None:
        apart = [f"{self.name(place)}: labelled {kind}, but {verdict}"
                 for place, (kind, verdict) in enumerate(zip(kinds, verdicts, strict=True))
                 if verdict and (kind == GOOD) != (verdict == GOOD)]
        if apart:
            raise DataError(f"{self.file}: {what} says the opposite of the label in {len(apart)} "
                            f"rows ({listing(apart)}); correct one of them, or {answer}.")


def _names_defect(column: str) -> bool:
    return told_by_path(f"{column}/x") == DEFECT


def _answer(name: str) -> str:
    return ("say what it means in pipelines.yaml: `source: {columns: {is_defect: "
            f"{name}}}}}` where 1 or yes is a defect, `{{is_good: {name}}}` where it is good, "
            f"`{{label: {name}}}` for words with good among them")


def _in_truth_values(column: Column) -> bool:
    return all(number(cell) or cell.casefold() in ("true", "false") for cell in column.cells
               if cell)


def _by_folder(paths: Sequence[str]) -> list[str]:
    # A file name of no words, so that folders alone tell.
    return [told_by_path(str(PurePosixPath(path.replace("\\", "/")).with_name("0")))
            for path in paths]
