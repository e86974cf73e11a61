"""Plain folders: good/ and one folder a defect type; masks are optional."""

from pathlib import Path

from hdm.dataset.manifest import GOOD
from hdm.ingest.readers.image_record import Reading, Record, by_stem, list_folders, list_images
from hdm.ingest.readers.parts import read_parts

LAYOUT = "good/ and any number of folders named after a defect"

MASK_FOLDERS = ("ground_truth", "masks")


def fits(source: Path) -> str:
    """Whether `source` is a folder with good/."""
    return "good/" if (source / GOOD).is_dir() else ""


def read(source: Path) -> Reading:
    """All images without a split; masks from ground_truth/<defect>/, masks/<defect>/ or beside.

    A file `<stem>_mask.*` beside an image `<stem>.*` is its mask, never an image.
    """
    return read_parts(source, list_records(source))


def list_records(source: Path) -> list[Record]:
    """The same without the groups of parts.csv."""
    records = []
    for kind in list_folders(source):
        if kind in MASK_FOLDERS:
            continue
        files = list_images(source, kind)
        stems = {_key(path) for path in files}
        beside = [path for path in files if _key(path).endswith("_mask")
                  and _key(path).removesuffix("_mask") in stems]
        masks = by_stem([path for folder in MASK_FOLDERS
                         for path in list_images(source, f"{folder}/{kind}")])
        own = {_key(path).removesuffix("_mask"): (path,) for path in beside}
        for path in sorted(set(files) - set(beside)):
            mask = own.get(_key(path)) or masks.get(Path(path).stem)
            records.append(Record(path, None, kind, () if kind == GOOD else mask or ()))
    return records


def _key(path: str) -> str:
    return str(Path(path).with_suffix(""))
