"""What lies in a line's inbox, for a person who decides of it."""

from typing import NamedTuple

from hdm.dataset.outside import read_image
from hdm.errors import DataError, HDMError
from hdm.home.line_pictures import shown
from hdm.inbox import beneath
from hdm.inbox.contents import UNLABELLED, look
from hdm.line import Line

SHOWN = 200


class InboxFile(NamedTuple):
    """One file. label: good, a kind of defect, or "" where nobody has said. reason: why it waits,
    or cannot be taken, "" where it is ready to be checked."""

    path: str
    label: str
    image: bool
    reason: str

    @property
    def to_be_labelled(self) -> bool:
        """An image that waits for a person to say what it is."""
        return self.image and not self.label


class InboxList(NamedTuple):
    """problem: why there is nothing to be seen, or "". left: files beyond those that are shown."""

    files: tuple[InboxFile, ...]
    problem: str
    left: int = 0


def inbox_list(line: Line) -> InboxList:
    """The files, those that wait for a decision first."""
    if line.inbox is None:
        return InboxList((), f"{line.name} has no inbox: add `inbox: FOLDER` to its entry in "
                             "pipelines.yaml.")
    try:
        contents = look(line.inbox, settling=0, folders=line.entry.source.folders)
    except HDMError as error:
        return InboxList((), str(error))
    found = [InboxFile(record.path, record.defect_type, True, "") for record in contents.images]
    found += [InboxFile(path, "", reason == UNLABELLED, reason)
              for path, reason in contents.waiting.items()]
    found += [InboxFile(path, "", False, reason) for path, reason in contents.not_images.items()]
    found.sort(key=lambda one: (not one.to_be_labelled, not one.reason, one.path))
    return InboxList(tuple(found[:SHOWN]), "", max(0, len(found) - SHOWN))


def inbox_picture(line: Line, path: str) -> bytes:
    """A file of the inbox as a JPEG. Raises DataError for one that is not there or no picture."""
    try:
        if line.inbox is None:
            raise FileNotFoundError
        with beneath.opened(line.inbox, path):
            return shown(read_image(line.inbox / path))
    except (OSError, ValueError):
        raise DataError(f"no file {path[:200]!r} is in the inbox any more.") from None
