"""Readers of source layouts: one file a format, each yielding plain records.

A reader module has `LAYOUT` (what it looks for, in words), `fits(source)`, which says in a few
words what of it is there ('' where the source is laid out in another way), and `read(source,
settings)`, which returns a Reading and may raise DataError.
"""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

from hdm.errors import DataError
from hdm.ingest.readers import (
    btad,
    coco,
    dagm,
    folder,
    ksdd2,
    labelme,
    lookout,
    mvtec,
    table,
    visa,
    yolo,
)
from hdm.ingest.readers.accounting import account
from hdm.ingest.readers.image_record import Reading, Record
from hdm.pipelines import Source

READERS: dict[str, ModuleType] = {
    "table": table, "visa": visa, "btad": btad, "ksdd2": ksdd2, "dagm": dagm, "mvtec": mvtec,
    "folder": folder, "coco": coco, "yolo": yolo, "labelme": labelme, "lookout": lookout,
}

__all__ = ["READERS", "Reading", "Record", "detect", "read_source"]


def read_source(source: Path, settings: Source | None = None) -> Reading:
    """What a source folder or table holds; records are in order of path.

    Every file of the folder is in the Reading. `settings` are what pipelines.yaml says of the
    source, its path apart. Raises DataError if the source is missing, holds no images, or is laid
    out in another way.
    """
    settings = settings or Source(path=str(source))
    _check_exists(source)
    auto = settings.format == "auto"
    layout = detect(source)[0] if auto else settings.format
    reader = READERS[layout]
    if not auto and not reader.fits(source):
        raise DataError(f"{source}: expected {reader.LAYOUT} (format {layout}), found "
                        f"{_content(source)}; correct the path or the format in pipelines.yaml.")
    if settings.columns and layout != "table":
        raise DataError(f"{source}: `columns` in pipelines.yaml is about tables, and this source "
                        f"is read as {layout}; take it out.")
    found: Reading = reader.read(source, settings)
    if not found.records:
        raise DataError(f"{source}: expected images in the layout {layout!r}, found none; add "
                        "images or correct the path.")
    found = replace(found, records=sorted(found.records, key=lambda record: record.path))
    return account(source.parent if source.is_file() else source, layout, found)


def detect(source: Path) -> tuple[str, str]:
    """The one layout that fits, and why; raises DataError where none does, or more than one."""
    _check_exists(source)
    fitting = {name: why for name, reader in READERS.items() if (why := reader.fits(source))}
    if set(fitting) == {"folder", "labelme"}:  # its files lie beside images sorted into folders
        del fitting["folder"]
    if len(fitting) == 1:
        return next(iter(fitting.items()))
    if fitting:
        seen = "; ".join(f"{name} ({why})" for name, why in fitting.items())
        raise DataError(f"{source}: more than one layout fits: {seen}; say which with --format, or "
                        "as `format` of the line's source in pipelines.yaml.")
    looked = "; ".join(f"{name}: {reader.LAYOUT}" for name, reader in READERS.items())
    raise DataError(f"{source}: found {_content(source)}, which fits no known layout; looked for "
                    f"{looked}. Rearrange the source or write a table of its images.")


def _check_exists(source: Path) -> None:
    try:
        if not source.exists():
            raise DataError(f"expected a folder or table of images at {source}, found nothing; "
                            "correct source.path in pipelines.yaml.")
        if source.is_dir() and not any(source.iterdir()):
            raise DataError(f"expected images in {source}, found an empty folder; put images "
                            "there or correct source.path in pipelines.yaml.")
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}; correct its permissions or "
                        "source.path in pipelines.yaml.") from None


def _content(source: Path) -> str:
    """What lies in the source, in a few words."""
    if source.is_file():
        return f"the file {source.name}"
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in source.iterdir())
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(names[:6]) + more
