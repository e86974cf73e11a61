"""BTAD: train/ok, test/ok, test/ko and ground_truth/ko."""

from pathlib import Path

from hdm.dataset.manifest import GOOD
from hdm.ingest.readers.image_record import Reading, Record, by_stem, list_images
from hdm.ingest.readers.parts import read_parts
from hdm.pipelines import Source

LAYOUT = "train/ok/, test/ok/, test/ko/ and ground_truth/ko/"


def fits(source: Path) -> str:
    """Whether `source` is the folder of one BTAD product."""
    return "train/ok/" if (source / "train" / "ok").is_dir() else ""


def read(source: Path, settings: Source) -> Reading:
    """All images; the one defect type is `ko`."""
    masks = by_stem(list_images(source, "ground_truth/ko"))
    records = [Record(path, split, GOOD) for split in ("train", "test")
               for path in list_images(source, f"{split}/ok")]
    records += [Record(path, "test", "ko", masks.get(Path(path).stem, ()))
                for path in list_images(source, "test/ko")]
    return read_parts(source, records)
