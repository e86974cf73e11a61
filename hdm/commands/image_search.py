"""Which files `hdm predict` judges: every file of a folder is judged or told.

Files that are named are tried whatever they are; in folders those that are no image by their name
are left aside. Some of these are images all the same, by their first bytes: they are missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hdm.dataset import images, outside
from hdm.dataset.file_walk import HIDDEN, left_aside, told, walk
from hdm.dataset.image_magic import HEAD, claims_to_be_an_image
from hdm.dataset.problems import listing, printable
from hdm.errors import DataError

NOT_REGULAR = "of no regular kind"


@dataclass
class Search:
    """files: to be judged, in order, each once; a page of a stack is `stack.tif#3`. left: paths by
    the reason why they are left aside. missed: those of them that are images by their content."""

    files: dict[Path, None] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """What is left aside: how many files for which reason."""
        return told(self.left)


def search(paths: Sequence[Path]) -> Search:
    """What is found at `paths`, files and folders.

    Raises DataError if a path does not exist, a folder cannot be opened or there is no image.
    """
    found = Search()
    for path in paths:
        if path.is_dir():
            _look_into(path, found)
        elif is_there(path):
            found.files.update(dict.fromkeys(pages_of(path)))
        else:
            raise DataError(f"expected an image or a folder at {path}, which does not exist.")
    if not found.files:
        raise DataError(" ".join([f"no images in {', '.join(map(str, paths))}; expected "
                                  f"{', '.join(sorted(images.SUFFIXES))}.", *found.sentences()]))
    return found


def is_there(path: Path) -> bool:
    """Whether there is such a file, or the file that it is a page of."""
    return path.exists() or Path(images.split_page(path)[0]).exists()


def is_picture(file: Path) -> bool:
    """Whether a file claims to be an image by its content; False if it cannot be opened."""
    try:
        with file.open("rb") as stream:
            return claims_to_be_an_image(stream.read(HEAD))
    except OSError:
        return False


def missed_sentence(missed: Sequence[str]) -> str:
    """What is to be done with images that were not judged."""
    files = "1 file was" if len(missed) == 1 else f"{len(missed)} files were"
    return (f"{files} left aside by name, but by content images: "
            f"{listing([printable(name) for name in missed])}; give them the suffix of their "
            "format, or convert them to PNG.")


def _look_into(folder: Path, found: Search) -> None:
    for file in sorted(walk(folder)):
        reason = left_aside(file.relative_to(folder))
        if reason != HIDDEN and file.exists() and not file.is_file():
            reason = NOT_REGULAR  # reading a pipe would wait for its writer
        if reason is None:
            found.files.update(dict.fromkeys(pages_of(file)))
            continue
        found.left.setdefault(reason, []).append(str(file))
        if reason not in (HIDDEN, NOT_REGULAR) and is_picture(file):
            found.missed.append(str(file))


def pages_of(file: Path) -> list[Path]:
    """The pages of a stack, `stack.tif#1` and so on; any other file itself."""
    count = outside.pages(file)
    return [Path(f"{file}#{page}") for page in range(1, count + 1)] if count > 1 else [file]
