"""Which files of a source are masks of others: told by their names, what they show, and whom they
pair with, since a mask that is learned from as an image is a defect learned as good.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hdm.dataset import outside
from hdm.dataset.drawn import looks_drawn
from hdm.dataset.evenly import evenly
from hdm.dataset.images import UnreadableImage, read_image
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.folder_names import (
    means_images,
    means_masks,
    stem_of_image,
    stems_of_image,
)
from hdm.ingest.readers.image_record import said_of

_SAMPLED = 9  # files of a folder that are looked at
_PAIRED = 0.8  # share of the files of a folder without a telling name that must pair
_LONELY = "a mask that pairs with no image"
ANSWER = ("say `--folder {folder}=masks` (or =defect, =good, =aside) to `hdm lines add`, or "
          "`source: {{folders: {{{folder}: masks}}}}` in pipelines.yaml")


@dataclass(frozen=True)
class MaskFiles:
    """of_image: the masks of each image. files: all masks. lonely: those without an image, and
    why they are aside. notes: sentences for a person."""

    of_image: dict[str, tuple[str, ...]]
    files: frozenset[str]
    lonely: dict[str, str]
    notes: tuple[str, ...]


def find_masks(root: Path, paths: Iterable[str], is_good: Callable[[str], bool],
               roles: Mapping[str, str], fixed: Callable[[str], bool]) -> MaskFiles:
    """Tell masks from images among the image files `paths` of `root`.

    is_good: whether a path is in a folder of good parts. roles: what a person has said of folders
    (`masks`, `defect`, ...). fixed: whether a path is an image by its place, unless its name makes
    it the mask of a neighbour. Raises DataError with the question where names and content disagree.
    """
    paths = sorted(paths)
    drawn = _Drawn(root)
    units = _units([path for path in paths if said_of(path, roles).role not in ("good", "defect")])
    two_tones = drawn.most([path for path in paths if is_good(path) and not _named(path)])
    masks, notes = set(), []
    for (kind, folder), files in units.items():
        if kind == "folder" and said_of(files[0], roles).role == "masks":
            masks.update(files)
        elif kind == "folder" and _named(files[0]):
            if drawn.none(files):
                raise DataError(
                    f"{root}: {folder}/ is named like a folder of masks, and its {len(files)} "
                    f"pictures are photographs ({files[0]}): are they defects of that name? "
                    + ANSWER.format(folder=folder) + ".")
            masks.update(files)
        elif kind == "suffix":
            if drawn.none(files) and not two_tones:
                raise DataError(
                    f"{root}: {len(files)} files of {folder}/ are named like masks of their "
                    f"neighbours, and are photographs ({listing(files, 2)}); rename or remove "
                    "them.")
            masks.update(files)
        elif kind == "twin" and not two_tones and (drawn.most(files) or drawn.blank(files)):
            masks.update(files)
        elif kind == "twin" and two_tones and drawn.most(files):
            raise DataError(
                f"{root}: {folder} lie beside files of the same names, and on this line images are "
                "drawn, too, so that it cannot be told which are masks; put the masks into a "
                "folder ground_truth/.")
    images = [path for path in paths if path not in masks]
    for (kind, folder), files in units.items():
        unsure = kind == "folder" and not masks.intersection(files) and not two_tones \
            and not said_of(files[0], roles).role and not all(map(fixed, files))
        if unsure and not is_good(files[0]) and drawn.most(files):
            own = set(files)
            others = _Images([path for path in images if path not in own], is_good)
            paired = sum(bool(others.of(path)) for path in files)
            if paired < _PAIRED * len(files):
                raise DataError(
                    f"{root}: the {len(files)} pictures of {folder}/ are drawn in a few flat "
                    f"tones, as masks are, and {len(files) - paired} of them pair with no image by "
                    "name: are they defects, or masks of what? "
                    f"{ANSWER.format(folder=folder)}.")
            masks.update(files)
            notes.append(f"{folder}/ is taken as masks: its {len(files)} pictures are drawn in a "
                         "few flat tones and pair with images by name.")
    return _paired(root, sorted(masks), [path for path in paths if path not in masks], is_good,
                   tuple(notes))


def _paired(root: Path, masks: list[str], images: list[str], is_good: Callable[[str], bool],
            notes: tuple[str, ...]) -> MaskFiles:
    found: dict[str, list[str]] = defaultdict(list)
    lonely, unclear = {}, []
    index = _Images(images, is_good)
    for mask in masks:
        owners = index.of(mask)
        if len(owners) > 1:
            unclear.append(f"{mask} ({' or '.join(sorted(owners)[:3])})")
        elif owners:
            found[owners.pop()].append(mask)
        else:
            lonely[mask] = _LONELY
    if unclear:
        raise DataError(f"{root}: {len(unclear)} masks could belong to more than one image: "
                        f"{listing(unclear)}; put them into folders named like those of their "
                        "images.")
    return MaskFiles({image: tuple(files) for image, files in found.items()}, frozenset(masks),
                     lonely, notes)


def _units(paths: list[str]) -> dict[tuple[str, str], list[str]]:
    """Files that are judged together: of a folder all, those named like a neighbour's mask, and
    those beside a file of the same stem, by their suffix."""
    units: dict[tuple[str, str], list[str]] = defaultdict(list)
    stems: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        file = PurePosixPath(path)
        stems[str(file.parent), file.stem.casefold()].append(path)
    for path in paths:
        file = PurePosixPath(path)
        folder, image = str(file.parent), stem_of_image(file.stem)
        if not _named(path) and image and (folder, image.casefold()) in stems:
            units["suffix", folder].append(path)
        elif not _named(path) and len(stems[folder, file.stem.casefold()]) > 1:
            units["twin", f"{folder}/*{file.suffix}"].append(path)
        else:
            units["folder", folder].append(path)
    return units


def _named(path: str) -> bool:
    return any(map(means_masks, PurePosixPath(path).parts[:-1]))


class _Drawn:
    """Looks at some files of a unit; damaged ones say nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, bool | None] = {}

    def most(self, files: list[str]) -> bool:
        """Whether the files are drawn, those of one value apart."""
        seen = self._look(files)
        return bool(seen) and seen.count(False) <= 0.1 * len(seen)

    def blank(self, files: list[str]) -> bool:
        """Whether all files that can be read have one value, as empty masks do."""
        return not self._look(files)

    def none(self, files: list[str]) -> bool:
        """Whether the files are photographs."""
        seen = self._look(files)
        return seen.count(False) > 0.5 * len(seen)

    def _look(self, files: list[str]) -> list[bool]:
        chosen = (files[number] for number in evenly(len(files), _SAMPLED))
        return [drawn for file in chosen if (drawn := self._one(file)) is not None]

    def _one(self, file: str) -> bool | None:
        """What a file looks like, read once; None if it has one value or cannot be read."""
        if file not in self._known:
            try:
                self._known[file] = outside.in_worker(_drawn, self._root / file, name=file)
            except UnreadableImage:
                self._known[file] = None
        return self._known[file]


def _drawn(file: Path) -> bool | None:
    return looks_drawn(read_image(file))


class _Images:
    """Images by their stem, to be found for a mask."""

    def __init__(self, images: Iterable[str], is_good: Callable[[str], bool]) -> None:
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._is_good = is_good
        for path in images:
            self._by_stem[PurePosixPath(path).stem.casefold()].append(path)

    def of(self, mask: str) -> set[str]:
        """The image that a mask belongs to; several if its name does not tell, none if there is
        none."""
        file = PurePosixPath(mask)
        parts = [part for part in file.parts[:-1] if not means_images(part)]
        folders = [part.casefold() for part in parts if not means_masks(part)]
        # dent_mask/ and gt_dent/ hold the masks of dent/.
        named = [stem_of_image(part) or ("" if means_masks(part) else part) for part in parts]
        ways = [[part.casefold() for part in named if part], folders]
        if not _named(mask):  # one of its folders is that of the masks, under a name of its own
            ways += [folders[:place] + folders[place + 1:] for place in range(len(folders))]
        for way in ways:
            for stem in stems_of_image(file.stem):
                if owners := self._in(stem, way):
                    return owners
            # A folder named after the image, its areas in files of their own.
            if way and (owners := self._in(way[-1], way[:-1])):
                return owners
        return set()

    def _in(self, stem: str, folders: list[str]) -> set[str]:
        """Images of that stem whose folders hold all of `folders`, in order: the nearest."""
        fitting = [path for path in self._by_stem.get(stem, ())
                   if _holds([part.casefold() for part in PurePosixPath(path).parts[:-1]], folders)]
        defects = [path for path in fitting if not self._is_good(path)]
        return set(defects or fitting)


def _holds(parts: list[str], wanted: list[str]) -> bool:
    remaining = iter(parts)
    return all(part in remaining for part in wanted)
