"""VisA: Data/Images/Normal and Anomaly, Data/Masks/Anomaly, and its split CSV if present."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from hdm.dataset.manifest import GOOD
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Reading, Record, by_stem, list_images
from hdm.pipelines import Source

LAYOUT = "Data/Images/Normal/, Data/Images/Anomaly/ and Data/Masks/Anomaly/"

_SPLIT_FILES = ("split_csv/1cls.csv", "1cls.csv", "split.csv")


def fits(source: Path) -> str:
    """Whether `source` is the folder of one VisA object."""
    return "Data/Images/Normal/" if (source / "Data" / "Images" / "Normal").is_dir() else ""


def read(source: Path, settings: Source) -> Reading:
    """All images; split as `split_csv/1cls.csv`, `1cls.csv` or `split.csv` in `source` says.

    Without such a file, and for images it does not name, the split is left to the pipeline.
    """
    masks = by_stem(list_images(source, "Data/Masks/Anomaly"))
    records = [Record(path, None, GOOD) for path in list_images(source, "Data/Images/Normal")]
    records += [Record(path, None, "anomaly", masks.get(Path(path).stem, ()))
                for path in list_images(source, "Data/Images/Anomaly")]
    splits = _splits(source)
    return Reading([replace(record, split=splits.get(record.path)) for record in records])


def _splits(source: Path) -> dict[str, str]:
    """Path from Data/ on -> train or test."""
    file = next((source / name for name in _SPLIT_FILES if (source / name).is_file()), None)
    if file is None:
        return {}
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise DataError(f"{file} is not a readable CSV table ({error}); correct or remove it."
                        ) from None
    if not {"image", "split"} <= set(table.columns):
        raise DataError(f"{file}: expected the columns image and split as in VisA's own split "
                        f"file, found {', '.join(table.columns)}; correct or remove it.")
    if "object" in table.columns and (table["object"] == source.name).any():
        table = table[table["object"] == source.name]
    unknown = sorted(set(table["split"]) - {"train", "test"})
    if unknown:
        raise DataError(f"{file}: expected the splits train and test, found {unknown[0]!r}; "
                        "correct it.")
    parts = table["image"].str.rpartition("Data/Images/")[2]
    return dict(zip("Data/Images/" + parts, table["split"], strict=True))
