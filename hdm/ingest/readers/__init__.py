"""Readers of source layouts: one file a format, each yielding plain records.

A reader module has `LAYOUT` (what it looks for, in words), `matches(source)` and
`read(source)`, which returns its records and may raise DataError.
"""

from pathlib import Path
from types import ModuleType

from hdm.errors import DataError
from hdm.ingest.readers import btad, folder, ksdd2, mvtec, table, visa
from hdm.ingest.readers.image_record import Record

# In the order in which `auto` tries them: the more telling layout first.
READERS: dict[str, ModuleType] = {
    "table": table, "visa": visa, "btad": btad, "ksdd2": ksdd2, "mvtec": mvtec, "folder": folder,
}

__all__ = ["READERS", "Record", "detect", "read_source"]


def read_source(source: Path, layout: str = "auto") -> list[Record]:
    """Records of a source folder or table, in order of path.

    `layout` is a key of READERS or `auto`. Raises DataError if the source is missing, holds no
    images, or is laid out in another way.
    """
    _check_exists(source)
    if layout == "auto":
        layout = detect(source)
    reader = READERS[layout]
    if not reader.matches(source):
        raise DataError(f"{source}: expected {reader.LAYOUT} (format {layout}), found "
                        f"{_content(source)}; correct the path or the format in pipelines.yaml.")
    records: list[Record] = sorted(reader.read(source), key=lambda record: record.path)
    if not records:
        raise DataError(f"{source}: expected PNG, JPEG, TIFF or BMP images in the layout "
                        f"{layout!r}, found none; add images or correct the path.")
    return records


def detect(source: Path) -> str:
    """The first layout that fits; raises DataError saying what was looked for."""
    for name, reader in READERS.items():
        if reader.matches(source):
            return name
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
