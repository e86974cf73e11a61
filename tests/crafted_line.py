"""A small, faultless line that each test damages in one way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hdm.dataset.images import pixel_hash, read_image
from hdm.dataset.manifest import Manifest

HEIGHT, WIDTH = 40, 48


@dataclass
class Crafted:
    """Images on disk and the manifest rows that describe them."""

    root: Path
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def pixels(self, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
        return self.rng.integers(90, 160, (height, width), dtype=np.uint8)

    def put(self, path: str, split: str, pixels: np.ndarray | None = None,
            mask: np.ndarray | None = None, **changes: Any) -> None:
        """Write one image (and mask) and its row."""
        defect_type = Path(path).parent.name
        self.write(path, self.pixels() if pixels is None else pixels)
        mask_path = None
        if mask is not None:
            mask_path = f"ground_truth/{defect_type}/{Path(path).stem}_mask.png"
            self.write(mask_path, mask)
        image = read_image(self.root / path)
        self.rows[path] = {
            "path": path, "split": split, "label": int(defect_type != "good"),
            "defect_type": defect_type, "mask_path": mask_path, "group": path,
            "width": image.shape[1], "height": image.shape[0],
            "channels": 1 if image.ndim == 2 else 3, "bit_depth": 8 * image.dtype.itemsize,
            "bits": 8 * image.dtype.itemsize,
            "sha256": pixel_hash(image)} | changes

    def write(self, path: str, pixels: np.ndarray) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)

    def change(self, path: str, **changes: Any) -> None:
        self.rows[path] |= changes

    def drop(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        self.rows = {path: row for path, row in self.rows.items() if keep(row)}

    def manifest(self) -> Manifest:
        """The rows as they are, without the checks that loading a manifest makes."""
        frame = pd.DataFrame(sorted(self.rows.values(), key=lambda row: row["path"]))
        frame["mask_path"] = frame["mask_path"].astype(object).where(
            frame["mask_path"].notna(), None)
        return Manifest(frame, self.root)


def mask_of(height: int = HEIGHT, width: int = WIDTH, side: int = 8) -> np.ndarray:
    """A square of `side` px in the corner of an empty mask."""
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[:side, :side] = 255
    return mask


def faultless(root: Path) -> Crafted:
    """24 training, 10 calibration, 10 good and 10 scratched test images."""
    line = Crafted(root)
    for index in range(24):
        line.put(f"train/good/{index:03d}.png", "train")
    for index in range(24, 34):
        line.put(f"train/good/{index:03d}.png", "calibration")
    for index in range(10):
        line.put(f"test/good/{index:03d}.png", "test")
        line.put(f"test/scratch/{index:03d}.png", "test", mask=mask_of())
    return line


@pytest.fixture
def crafted(tmp_path: Path) -> Crafted:
    """A line of its own for each test."""
    return faultless(tmp_path / "source")


@pytest.fixture(scope="module")
def craft(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Crafted]:
    """Makes lines that the tests of a module share."""
    return lambda name: faultless(tmp_path_factory.mktemp(name))
