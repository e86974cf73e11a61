"""From mask files and outlines to one mask an image, whatever drew them.

Masks are read all together, since only together do they say what is background: whichever colour
covers most of most masks. They become binary pictures once, at ingest; later stages see no others.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset import outside
from hdm.dataset.images import UnreadableImage, pixel_hash
from hdm.ingest.decoding import Facts
from hdm.ingest.mask_reading import MaskColours, colours_of, find_rule, marked_by
from hdm.ingest.outlines import drawn
from hdm.ingest.readers.image_record import Record

_ASPECT = 1.5  # px that a mask of another resolution may be off its image's aspect


@dataclass(frozen=True)
class DrawnMask:
    """One image's ground truth: a PNG of 0 and 255 as large as the image, and its pixels' hash."""

    png: bytes
    sha256: str

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> "DrawnMask":
        """Encode a (H, W) mask; equal masks give equal bytes."""
        pixels = mask.astype(np.uint8) * np.uint8(255)
        stream = io.BytesIO()
        Image.fromarray(pixels).convert("1").save(stream, "PNG")
        return cls(stream.getvalue(), pixel_hash(pixels))


class GroundTruth(NamedTuple):
    """The masks of images by their path; why others cannot be used, by file; notes for a person."""

    masks: dict[str, DrawnMask]
    bad: dict[str, str]
    notes: list[str]

    def write(self, folder: Path) -> None:
        """Every mask into `folder`, at its `mask_path`."""
        for image, mask in self.masks.items():
            file = folder / mask_path(image)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(mask.png)


def mask_path(image: str) -> str:
    """Where the mask of an image is in a manifest's folder of masks."""
    return f"{image}.png"


def resolve(root: Path, records: Sequence[Record], facts: Mapping[str, Facts],
            wanted: str | tuple[int, ...]) -> GroundTruth:
    """Read and draw every mask.

    wanted: `auto`, `bright` or `dark`, or the grey values that mark a defect (ingest.masks). A good
    image has a mask only if that marks something, which validation then refuses. Images without
    `facts` are passed over. Raises DataError where the masks do not tell what is background.
    """
    bad: dict[str, str] = {}
    colours: tuple[list[MaskColours], list[MaskColours]] = ([], [])
    files = [(record.label, file) for record in records for file in record.masks]
    seen = outside.each(lambda one: _colours(root, one[1]), files)
    for (label, file), found in zip(files, seen, strict=True):
        if isinstance(found, MaskColours):
            colours[label].append(found)
        else:
            bad[file] = found
    rule, notes = find_rule(colours[1], colours[0], wanted)
    masks, resized = {}, []
    for record in records:
        readable = [file for file in record.masks if file not in bad]
        if record.path not in facts or not (readable or record.regions):
            continue
        size = facts[record.path].height, facts[record.path].width
        file = record.path
        try:
            mask = drawn(record.regions, *size)
            for file in readable:
                marked = outside.in_worker(marked_by, root / file, file, rule, name=file)
                mask |= _fitted(marked, size, record.path)
                resized += [file] if marked.shape != size else []
        except UnreadableImage as error:
            bad[file] = error.reason
            continue
        except ValueError as error:
            bad[file] = str(error)
            continue
        if record.label or mask.any():
            masks[record.path] = DrawnMask.of(mask)
    if resized:
        notes.append(f"{len(resized)} masks have another resolution than their images and were "
                     f"enlarged or shrunk to it ({resized[0]}).")
    return GroundTruth(masks, bad, notes)


def _colours(root: Path, file: str) -> MaskColours | str:
    """Of a mask, or why it cannot be used."""
    try:
        return outside.in_worker(colours_of, root / file, file, name=file)
    except UnreadableImage as error:
        return error.reason


def _fitted(mask: NDArray[np.bool_], size: tuple[int, int], image: str) -> NDArray[np.bool_]:
    """The mask at its image's size; raises ValueError where the shapes differ."""
    height, width = size
    if mask.shape == size:
        return mask
    scale = height / mask.shape[0]
    if abs(mask.shape[1] * scale - width) > _ASPECT * max(1.0, scale):
        raise ValueError(f"a mask of {mask.shape[1]}x{mask.shape[0]} px for the image {image} of "
                         f"{width}x{height} px")
    return cv2.resize(mask.astype(np.uint8), (width, height),
                      interpolation=cv2.INTER_NEAREST).astype(bool)
