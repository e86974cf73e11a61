"""MVTec AD: train/good, test/<type>, ground_truth/<defect>; LOCO's validation/good as well."""

from pathlib import Path

from hdm.dataset.manifest import GOOD
from hdm.ingest.readers.image_record import Reading, Record, by_stem, list_folders, list_images
from hdm.ingest.readers.parts import read_parts

LAYOUT = "train/good/, test/good/, test/<defect>/ and ground_truth/<defect>/"

_SPLITS = {"train": "train", "validation": "calibration", "test": "test"}


def fits(source: Path) -> str:
    """Whether `source` is a folder with train/good."""
    return "train/good/" if (source / "train" / GOOD).is_dir() else ""


def read(source: Path) -> Reading:
    """All images; groups of one physical part come from parts.csv where there is one.

    Defects under train/ cannot be trained on and become holdout.
    """
    records = []
    for folder, split in _SPLITS.items():
        for kind in list_folders(source, folder):
            masks = {} if kind == GOOD else by_stem(list_images(source, f"ground_truth/{kind}"))
            usable = split if kind == GOOD or split == "test" else "holdout"
            records += [Record(path, usable, kind, masks.get(Path(path).stem, ()))
                        for path in list_images(source, f"{folder}/{kind}")]
    return read_parts(source, records)
