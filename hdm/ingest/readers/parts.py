"""parts.csv: which images show one physical part."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from hdm.errors import DataError
from hdm.ingest.readers.image_record import Reading, Record

NAME = "parts.csv"


def read_parts(source: Path, records: list[Record]) -> Reading:
    """`records` with the groups of `source`/parts.csv (columns path, group), if it is there.

    Images that it does not name keep a group of their own, rows without an image are left out.
    Raises DataError if the file is not such a table or names none of the images.
    """
    file = source / NAME
    if not file.is_file():
        return Reading(records)
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise DataError(f"{file} is not a readable CSV table ({error}); correct or remove it."
                        ) from None
    if not {"path", "group"} <= set(table.columns):
        raise DataError(f"{file}: expected the columns path and group, found "
                        f"{', '.join(table.columns)}; rename them.")
    twice = table["path"][table["path"].duplicated()]
    if len(twice):
        raise DataError(f"{file} names {twice.iloc[0]} twice; keep one row an image.")
    groups = dict(zip(table["path"].map(_usual), table["group"], strict=True))
    if records and not any(_usual(record.path) in groups for record in records):
        raise DataError(f"{file}: expected paths relative to its folder such as "
                        f"{records[0].path}, found none that is an image here; correct them.")
    return Reading([replace(record, group=groups.get(_usual(record.path)) or None)
                    for record in records], (NAME,))


def _usual(path: str) -> str:
    """A path however it is written: `good\\001.PNG` is `good/001.png`."""
    return path.replace("\\", "/").removeprefix("./").casefold()
