"""What people said of a line's pictures: one JSON file a picture, the picture beside it.

An entry counts once its JSON file is there, which is written last.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from hdm.dataset.images import pixel_hash
from hdm.dataset.manifest import GOOD, Manifest, Row
from hdm.errors import DataError
from hdm.model_settings import Section

ID_LENGTH = 16


class FeedbackEntry(Section):
    """One picture and what a person said of it.

    id: the beginning of sha256, that of the decoded pixels. part: the physical part, '' if unknown.
    who, why: as given. when: UTC, ISO 8601. model_version, decision, score, threshold: what was
    answered then; '' and None where it was not judged. mask_sha256: of the drawn defect's pixels,
    '' if nobody drew it.
    """

    id: str
    sha256: str
    verdict: Literal["good", "defect"]
    defect_type: str
    name: str
    part: str = ""
    who: str = ""
    why: str = ""
    when: str
    model_version: str = ""
    decision: str = ""
    score: float | None = None
    threshold: float | None = None
    mask_sha256: str = ""
    width: int
    height: int
    channels: int
    bit_depth: int

    @property
    def masked(self) -> bool:
        """Whether somebody drew the defect."""
        return bool(self.mask_sha256)

    @property
    def said(self) -> str:
        """What was said, for people: good, or the kind of defect and whether it was drawn."""
        return f"{self.defect_type}, drawn" if self.masked else self.defect_type

    @property
    def picture(self) -> str:
        """Name of the picture's file."""
        return f"{self.id}.png"

    @property
    def mask(self) -> str | None:
        """Name of the drawn defect's file, if there is one."""
        return f"{self.id}_mask.png" if self.masked else None

    def row(self) -> Row:
        """As a row of a manifest; a defect is in no split that trains, as everywhere."""
        return Row(self.picture, "train" if self.verdict == GOOD else "holdout",
                   int(self.verdict != GOOD), self.defect_type, self.mask, self.part or self.id,
                   self.width, self.height, self.channels, self.bit_depth, self.bit_depth,
                   self.sha256)


def entries_in(folder: Path) -> list[FeedbackEntry]:
    """All entries of a line's folder, in order of id; none if there is no folder.

    Raises DataError if a file is damaged.
    """
    found = []
    for file in sorted(folder.glob("*.json")):
        try:
            found.append(FeedbackEntry.model_validate_json(file.read_bytes()))
        except (OSError, ValidationError) as error:
            first = str(error).splitlines()[0]
            raise DataError(f"{file} is no readable feedback ({first}); restore or delete it."
                            ) from None
    return found


def entry_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each entry's file, by id; it names the pixels of picture and mask."""
    return {entry.id: hashlib.sha256((folder / f"{entry.id}.json").read_bytes()).hexdigest()
            for entry in entries_in(folder)}


def mask_hash(mask: np.ndarray) -> str:
    """SHA-256 of a mask, (H, W) bool."""
    return pixel_hash(mask.astype(np.uint8))


def manifest_of(entries: Iterable[FeedbackEntry], folder: Path, verdict: str) -> Manifest:
    """The pictures of one verdict; their masks are in the same folder."""
    return Manifest.of([entry.row() for entry in entries if entry.verdict == verdict], folder,
                       folder)
