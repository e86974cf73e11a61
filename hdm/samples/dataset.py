"""Write a sample line to disk in the MVTec AD folder layout."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hdm.files import atomic_folder
from hdm.samples.brushed_plate import BrushedPlate
from hdm.samples.cast_bracket import CastBracket
from hdm.samples.product_line import Defect, ProductLine
from hdm.samples.woven_mesh import WovenMesh

LINES: dict[str, type[ProductLine]] = {
    line.name: line for line in (BrushedPlate, WovenMesh, CastBracket)
}
SAMPLE_LINES: tuple[str, ...] = tuple(LINES)
"""Names of the sample product lines."""

TEST_GOOD, PER_DEFECT = 48, 12

_VIEWS_PER_PART = (1, 1, 2, 1, 3, 1, 1, 2)
"""Photographs per physical part, repeated along the index."""

_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Shot:
    """One image to draw: its split, kind ("good" or a defect), index and physical part."""

    split: str
    kind: str
    index: int
    part: int

    @property
    def path(self) -> str:
        """Image path relative to the root."""
        return f"{self.split}/{self.kind}/{self.index:03d}.png"

    @property
    def group(self) -> str:
        """Identifier of the physical part."""
        return f"{self.split}-{self.kind}-{self.part:03d}"


def draw_line(
    name: str,
    folder: Path,
    *,
    seed: int = 0,
    scale: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draw the sample line ``name`` into ``folder``, which must not exist or be empty.

    Writes ``train/good``, ``test/good``, ``test/<defect>`` and ``ground_truth/<defect>`` (masks,
    0 or 255) as PNG, and ``parts.csv`` with the columns path and group: images of one physical
    part share a group. Equal arguments write identical bytes. ``scale`` in (0, 1] multiplies the
    image counts; an image does not depend on the counts. ``progress(done, total)`` is called
    after each image. The folder appears only once it is complete.

    Raises ValueError for an unknown name or a scale out of range, FileExistsError if ``folder``
    exists and is not an empty folder, HDMError if the disk cannot be written to.
    """
    if name not in LINES:
        raise ValueError(f"unknown sample line {name!r}; valid names: {', '.join(SAMPLE_LINES)}")
    if not 0.0 < scale <= 1.0:
        raise ValueError(f"scale must be in (0, 1], got {scale}")
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists and is not an empty folder")
    with atomic_folder(folder) as staging:
        _write(LINES[name](), staging, seed, scale, progress)


def _write(
    line: ProductLine,
    root: Path,
    seed: int,
    scale: float,
    progress: Callable[[int, int], None] | None,
) -> None:
    shots = list(_shots(line, scale))
    for done, shot in enumerate(shots, 1):
        image, mask = _photograph(line, shot, seed)
        target = root / shot.path
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(target)
        if shot.kind != "good":
            target = root / "ground_truth" / shot.kind / f"{shot.index:03d}_mask.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(target)
        if progress is not None:
            progress(done, len(shots))
    with (root / "parts.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", "group"])
        writer.writerows([shot.path, shot.group] for shot in shots)


def _shots(line: ProductLine, scale: float) -> Iterator[Shot]:
    plan = [("train", "good", line.train_good), ("test", "good", TEST_GOOD)]
    plan += [("test", kind, PER_DEFECT) for kind in line.defects]
    for split, kind, full_count in plan:
        parts = _part_of_index(full_count)
        for index in range(max(1, round(full_count * scale))):
            yield Shot(split, kind, index, parts[index])


def _part_of_index(count: int) -> list[int]:
    parts: list[int] = []
    while len(parts) < count:
        part = parts[-1] + 1 if parts else 0
        parts += [part] * _VIEWS_PER_PART[part % len(_VIEWS_PER_PART)]
    return parts[:count]


def _photograph(line: ProductLine, shot: Shot, seed: int) -> tuple[np.ndarray, np.ndarray]:
    def generator(role: str, index: int) -> np.random.Generator:
        words = (line.name, shot.split, shot.kind, role)
        keys = [zlib.crc32(word.encode()) for word in words]
        return np.random.default_rng(np.random.SeedSequence([seed, *keys, index]))

    part_rng = generator("part", shot.part)
    part = line.sample_part(part_rng)
    view_rng = generator("view", shot.index)
    view = line.sample_view(view_rng)
    defect = None
    if shot.kind != "good":
        # A low-discrepancy sequence spreads the severities evenly at every count.
        severity = (0.35 + _GOLDEN * shot.part) % 1.0
        defect = Defect(shot.kind, severity, int(part_rng.integers(2**32)))
    return line.photograph(part, view, view_rng, defect)
