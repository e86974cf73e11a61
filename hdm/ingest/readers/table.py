"""A CSV or Parquet table with one row an image."""

import difflib
from pathlib import Path

import pandas as pd
import pyarrow as pa

from hdm.dataset.manifest import GOOD, SPLITS
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Reading, Record
from hdm.pipelines import Source

COLUMNS = ("path", "split", "label", "defect_type", "mask_path", "group")
LAYOUT = f"a .csv or .parquet table with the columns {', '.join(COLUMNS)} (only path is needed)"

_LABELS = {"0": 0, "0.0": 0, "false": 0, "good": 0, "ok": 0, "normal": 0,
           "1": 1, "1.0": 1, "true": 1, "defect": 1, "bad": 1, "ko": 1, "nok": 1, "anomaly": 1}


def fits(source: Path) -> str:
    """Whether `source` is a file named .csv or .parquet."""
    table = source.is_file() and source.suffix.lower() in (".csv", ".parquet")
    return source.name if table else ""


def read(source: Path, settings: Source) -> Reading:
    """All rows; paths are relative to the table's folder.

    An empty split is left to the pipeline, a row without label and defect type is good. Other
    columns are left alone. Raises DataError for a misspelt column, an unknown value, a path that
    leaves the folder, or one that occurs twice.
    """
    table = _load(source)
    _check_columns(source, [str(name) for name in table.columns])
    text = pd.DataFrame({name: _text(table[name]) if name in table else "" for name in COLUMNS},
                        index=table.index)
    twice = text["path"][text["path"].duplicated()]
    if len(twice):
        raise DataError(f"{source}: {twice.iloc[0]!r} occurs twice ({len(twice)} rows repeat a "
                        "path); keep one row an image.")
    return Reading([_record(source, *values)
                    for values in text.itertuples(index=False, name=None)], (source.name,))


def _load(source: Path) -> pd.DataFrame:
    try:
        if source.suffix.lower() == ".parquet":
            return pd.read_parquet(source)
        return pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError, pa.ArrowException) as error:
        detail = " ".join(str(error).split())[:160]
        raise DataError(f"{source} is not a readable table ({detail}); write it as UTF-8 CSV or "
                        "Parquet.") from None


def _check_columns(source: Path, found: list[str]) -> None:
    for name in found:
        near = difflib.get_close_matches(name.strip().lower(), COLUMNS, n=1, cutoff=0.6)
        if name not in COLUMNS and near and near[0] not in found:
            raise DataError(f"{source}: unknown column {name!r}; did you mean {near[0]!r}?")
    if "path" not in found:
        raise DataError(f"{source}: expected a column path, found {', '.join(found) or 'none'}; "
                        "name the column of image files so.")


def _text(column: pd.Series) -> pd.Series:
    return column.map(lambda value: "" if pd.isna(value) else str(value).strip())


def _record(source: Path, path: str, split: str, label: str, defect_type: str,
            mask_path: str, group: str) -> Record:
    if not path:
        raise DataError(f"{source}: expected a file in every row of path, found an empty cell; "
                        "fill it in or remove the row.")
    if split and split not in SPLITS:
        near = difflib.get_close_matches(split.lower(), SPLITS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(SPLITS)} or empty."
        raise DataError(f"{source}: unknown split {split!r} of {path}; {hint}")
    if label and label.lower() not in _LABELS:
        raise DataError(f"{source}: unknown label {label!r} of {path}; expected 0 or good, "
                        "1 or defect.")
    kind = defect_type or (GOOD if _LABELS.get(label.lower(), 0) == 0 else "defect")
    if label and _LABELS[label.lower()] != int(kind != GOOD):
        raise DataError(f"{source}: {path} has the label {label!r} but the defect type "
                        f"{defect_type!r}; correct one of them.")
    return Record(path, split or None, kind, (mask_path,) if mask_path else (),
                  group or None)
