"""DAGM 2007: Train/ and Test/ of one class, with masks NNNN_label.PNG in their folder Label/."""

from pathlib import Path, PurePosixPath

from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Reading, Record, list_folders, list_images
from hdm.ingest.readers.label_words import DEFECT
from hdm.ingest.readers.split_words import complete
from hdm.pipelines import Source

LAYOUT = "Train/ and Test/ of one DAGM class, with Label/NNNN_label.PNG for each defect"

_SPLITS = ("train", "test")
_LABELS = "label"
_END = "_label"


def fits(source: Path) -> str:
    """Whether Train/ or Test/ of `source` has a folder Label/ with masks named *_label.*"""
    places = [f"{folder}/{labels}/" for folder, labels in _folders(source).values() if labels]
    return " and ".join(place for place in places if any(
        _stem(path).endswith(_END) for path in list_images(source, place)))


def read(source: Path, settings: Source | None = None) -> Reading:
    """All images: defective if there is a mask for one, or Labels.txt says so.

    Defective training images become holdout: nothing is ever trained on a defect. Raises DataError
    for a mask without its image, and where Labels.txt and the masks disagree.
    """
    records, documents = [], []
    folders = _folders(source)
    follows = complete(folders)
    for split, (folder, labels) in folders.items():
        below = f"{folder}/{labels}/"
        images = [path for path in list_images(source, folder)
                  if not (labels and path.startswith(below))]
        files = list_images(source, below) if labels else []
        masks = {_stem(path).removesuffix(_END): path for path in files}
        lost = sorted(set(masks) - {_stem(path) for path in images})
        if lost:
            raise DataError(f"{source}: {len(lost)} masks of {below} belong to no image of "
                            f"{folder}/ ({listing([masks[stem] for stem in lost])}); put the "
                            "images there, or take the masks out.")
        listed = _listed(source, folder, labels)
        documents += list(listed)
        flagged = {stem for flags in listed.values() for stem, bad in flags.items() if bad}
        cleared = {stem for flags in listed.values() for stem, bad in flags.items() if not bad}
        apart = sorted(cleared & set(masks))
        if apart:
            raise DataError(f"{source}: {next(iter(listed))} says that {listing(apart)} have no "
                            f"defect, and {below} has masks of them; correct one of them.")
        for path in images:
            mask = masks.get(_stem(path))
            bad = mask is not None or _stem(path) in flagged
            given = split if follows else None
            records.append(Record(path, "holdout" if bad and given == "train" else given,
                                  DEFECT if bad else GOOD, (mask,) if mask else ()))
    return Reading(records, tuple(documents), notes=(
        "The masks of DAGM are coarse ellipses around the defects: pixel metrics can only be as "
        "good.",))


def _folders(source: Path) -> dict[str, tuple[str, str]]:
    """Split -> the names of its folder and of the folder of masks in it ('' if there is none)."""
    found = {}
    for folder in list_folders(source):
        if folder.lower() in _SPLITS:
            labels = next((name for name in list_folders(source, folder)
                           if name.lower() == _LABELS), "")
            found[folder.lower()] = (folder, labels)
    return found


def _listed(source: Path, folder: str, labels: str) -> dict[str, dict[str, bool]]:
    """Labels.txt -> stem of each image it lists -> whether that has a defect.

    A line is `number flag image.PNG flag mask.PNG`; the first one holds a single number.
    """
    found = {}
    for name in sorted((source / folder / labels).glob("[Ll]abels.txt")) if labels else ():
        flags = {}
        for line in name.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) >= 3 and words[1] in ("0", "1"):
                flags[PurePosixPath(words[2]).stem] = words[1] == "1"
        found[name.relative_to(source).as_posix()] = flags
    return found


def _stem(path: str) -> str:
    return PurePosixPath(path).stem
