"""Plain folders: good/ and one folder a defect type; masks are optional."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from hdm.dataset.manifest import GOOD
from hdm.errors import DataError
from hdm.ingest.readers.folder_names import means_good, sounds_good
from hdm.ingest.readers.image_record import Reading, Said, has_images, list_folders
from hdm.ingest.readers.mask_files import ANSWER
from hdm.ingest.readers.sorted_folders import Place, read_folders
from hdm.pipelines import Source

LAYOUT = "good/ and any number of folders named after a defect"

MASKS = "ground_truth"
"""The folder that masks are put into; others are read, too."""


def fits(source: Path) -> str:
    """Whether `source` is a folder with good/, by that or another usual name."""
    good = _good_folders(source)
    return " and ".join(f"{name}/" for name in good)


def read(source: Path, settings: Source) -> Reading:
    """All images without a split, with their masks wherever they lie.

    Raises DataError if two folders are named like good parts.
    """
    roles = settings.folders
    good = [name for name in _good_folders(source) if roles.get(name, GOOD) == GOOD]
    if len(good) > 1 and not all(name in roles for name in good):
        raise DataError(f"{source}: {' and '.join(f'{name}/' for name in good)} are named like "
                        "good parts; move their images into one, or say `source: "
                        f"{{folders: {{{good[0]}: good, {good[1]}: good}}}}` in pipelines.yaml.")
    unsure = [name for name in list_folders(source) if name not in roles and sounds_good(name)
              and has_images(source, name)]
    if unsure:
        raise DataError(f"{source}: {', '.join(f'{name}/' for name in unsure)}: good parts, a kind "
                        f"of defect, or neither? {ANSWER.format(folder=unsure[0])}.")
    return read_folders(source, _place, roles, fixed=False,
                        left="an image outside good/ and the folders of defects")


def read_inbox(inbox: Path, folders: Mapping[str, str]) -> Reading:
    """An inbox, which is laid out in the same way; good/ need not be there. Links lead to files of
    others, and are not followed."""
    return read_folders(inbox, _place, folders, fixed=True, left="an image without a folder",
                        links=False)


def _place(path: str, said: Said) -> Place | None:
    parts = PurePosixPath(path).parts
    if len(parts) < 2:
        return None
    return None, said.kind(GOOD if means_good(parts[0]) else parts[0])


def _good_folders(source: Path) -> list[str]:
    named = [name for name in list_folders(source) if means_good(name)]
    filled = [name for name in named if has_images(source, name)]
    return filled or ([] if (source / "train").is_dir() else named)
