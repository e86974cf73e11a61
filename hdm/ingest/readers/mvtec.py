"""MVTec AD: train/good, test/<type>, ground_truth/<defect>; LOCO, AD 2 and MPDD as well."""

from pathlib import Path, PurePosixPath

from hdm.dataset.manifest import GOOD
from hdm.ingest.readers.folder_names import means_good
from hdm.ingest.readers.image_record import Reading, Said
from hdm.ingest.readers.sorted_folders import Place, read_folders
from hdm.pipelines import Source

LAYOUT = "train/good/, test/good/, test/<defect>/ and ground_truth/<defect>/"

_SPLITS = {"train": "train", "validation": "calibration", "test": "test", "test_public": "test"}


def fits(source: Path) -> str:
    """Whether `source` is a folder with train/good."""
    return "train/good/" if (source / "train" / GOOD).is_dir() else ""


def read(source: Path, settings: Source) -> Reading:
    """All images; groups of one physical part come from parts.csv where there is one.

    Defects under train/ or validation/ cannot be trained on and become holdout. LOCO has a folder
    of masks for each image; AD 2 calls its test images test_public/ and keeps the truth about
    test_private/, which is left aside, to itself.
    """
    return read_folders(source, _place, settings.folders, fixed=True,
                        left="an image outside train/, validation/ and test/")


def _place(path: str, said: Said) -> Place | None:
    parts = PurePosixPath(path).parts
    if len(parts) < 3 or parts[0] not in _SPLITS:
        return None
    kind, split = said.kind(GOOD if means_good(parts[1]) else parts[1]), _SPLITS[parts[0]]
    return split if kind == GOOD or split == "test" else "holdout", kind
