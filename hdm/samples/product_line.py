"""What the sample product lines have in common: parts, views, defects and their masks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hdm.samples.camera import OVERSAMPLING, Camera, Pose, sample_camera
from hdm.samples.fields import Field

VISIBLE_LEVEL = 5.0 / 255.0
"""Noise-free signal change above which a pixel counts as visibly changed."""

MIN_AREA = 10
"""Fewest mask pixels of a defect."""


@dataclass(frozen=True)
class Defect:
    """A defect of one physical part; equal values draw the same defect in every view.

    ``severity`` runs from 0 (faint) to 1 (plain) and a little beyond.
    """

    kind: str
    severity: float
    seed: int

    def generator(self) -> np.random.Generator:
        """Return a fresh generator for the defect's geometry."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class View:
    """One photograph's conditions."""

    pose: Pose
    camera: Camera


class ProductLine(ABC):
    """A product line: draws parts, and photographs them with or without a defect."""

    name: ClassVar[str]
    width: ClassVar[int]
    height: ClassVar[int]
    channels: ClassVar[int]
    defects: ClassVar[tuple[str, ...]]
    train_good: ClassVar[int] = 176
    """Good training images of a full-size draw."""
    fixed_lamp: ClassVar[bool] = False
    """Whether the lamp is mounted on the station; otherwise light comes from any side."""

    @abstractmethod
    def sample_part(self, rng: np.random.Generator) -> Any:
        """Draw one physical part."""

    @abstractmethod
    def sample_pose(self, rng: np.random.Generator) -> Pose:
        """Draw the pose of one photograph."""

    @abstractmethod
    def radiance(self, part: Any, view: View, defect: Defect | None) -> tuple[Field, Field]:
        """Return the oversampled radiance (2h, 2w, channels) and the defect's shape (2h, 2w).

        The shape is the defect's coverage, 0 to 1; all zeros without a defect.
        """

    def sample_view(self, rng: np.random.Generator) -> View:
        """Draw the conditions of one photograph."""
        pose = self.sample_pose(rng)
        return View(pose, sample_camera(rng, self.channels, fixed_lamp=self.fixed_lamp))

    def photograph(
        self, part: Any, view: View, rng: np.random.Generator, defect: Defect | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the image, (h, w) or (h, w, 3), and the (h, w) mask of the changed pixels."""
        clean, _ = self._expose(part, view, None)
        if defect is None:
            return np.squeeze(view.camera.digitise(clean, rng)), np.zeros(clean.shape[:2], bool)
        for _ in range(12):
            signal, shape = self._expose(part, view, defect)
            mask = changed_pixels(clean, signal, shape)
            if mask.sum() >= MIN_AREA:
                return np.squeeze(view.camera.digitise(signal, rng)), mask
            # Too faint or out of the frame: draw it plainer, at another place.
            plainer = min(defect.severity + 0.1, 1.2)
            defect = replace(defect, severity=plainer, seed=defect.seed + 1)
        raise RuntimeError(f"{self.name}: no visible {defect.kind} after 12 draws")

    def _expose(self, part: Any, view: View, defect: Defect | None) -> tuple[Field, Field]:
        radiance, shape = self.radiance(part, view, defect)
        return view.camera.expose(radiance), shape


def changed_pixels(clean: Field, signal: Field, shape: Field) -> NDArray[np.bool_]:
    """Return the pixels inside ``shape`` (oversampled) that differ visibly between two signals."""
    rows, columns = clean.shape[:2]
    covered = shape.reshape(rows, OVERSAMPLING, columns, OVERSAMPLING).max((1, 3)) > 0.05
    # The lens spreads a defect by about one pixel beyond its geometric outline.
    covered = ndimage.binary_dilation(covered, np.ones((3, 3), bool))
    change = np.abs(signal - clean).max(2)
    # As a person would draw it: pixels that happen not to change inside a defect belong to it.
    return covered & ndimage.binary_closing(covered & (change > VISIBLE_LEVEL), iterations=3)
