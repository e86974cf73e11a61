"""KolektorSDD2: train/ and test/ with NNNNN.png and its mask NNNNN_GT.png side by side."""

from pathlib import Path

from hdm.dataset.manifest import GOOD
from hdm.dataset.outside import read_mask
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Reading, Record, list_images
from hdm.pipelines import Source

LAYOUT = "train/ and test/ with pairs NNNNN.png and NNNNN_GT.png"


def fits(source: Path) -> str:
    """Whether train/ or test/ directly holds a file named *_GT.*."""
    pairs = (next((source / split).glob("*_GT.*"), None) for split in ("train", "test"))
    return next((f"{found.parent.name}/{found.name}" for found in pairs if found), "")


def read(source: Path, settings: Source) -> Reading:
    """All images: defective where the mask has a pixel above 0.

    Defective training images become holdout: nothing is ever trained on a defect.
    Raises DataError for an image without its mask, as then nobody knows what it is.
    """
    records = []
    for split in ("train", "test"):
        files = list_images(source, split)
        masks = {_key(path).removesuffix("_GT"): path for path in files
                 if _key(path).endswith("_GT")}
        images = [path for path in files if not _key(path).endswith("_GT")]
        bare = [path for path in images if _key(path) not in masks]
        if bare:
            raise DataError(f"{source}: expected a mask beside every image, found none for "
                            f"{bare[0]} ({len(bare)} of {len(images)} images of {split}/); add "
                            "the *_GT files or remove the images.")
        for path in images:
            mask = masks[_key(path)]
            if read_mask(source / mask).any():
                usable = "holdout" if split == "train" else split
                records.append(Record(path, usable, "defect", (mask,)))
            else:
                records.append(Record(path, split, GOOD, (mask,)))
    return Reading(records)


def _key(path: str) -> str:
    return str(Path(path).with_suffix(""))
