"""A line of generated pictures of 64 px, any number of them, in folders of a thousand."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 64
A_FOLDER = 1000
ONE_IN = 50
"""Of the pictures, one is defective, with its mask."""


def draw_source(folder: Path, count: int, seed: int = 0, first: int = 0) -> None:
    """Write the pictures from number `first` to `count` below `folder`: good/, scratch/ and
    ground_truth/scratch/."""
    base = np.random.default_rng(seed).integers(90, 160, (SIDE, SIDE)).astype(np.float32)
    for number in range(first, count):
        rng = np.random.default_rng((seed, number))
        picture = base + rng.normal(0, 12, (SIDE, SIDE)).astype(np.float32)
        place = f"{number // A_FOLDER:04d}/{number:07d}.png"
        if number % ONE_IN:
            _write(folder / "good" / place, picture)
            continue
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        row, column = rng.integers(8, SIDE - 24, 2)
        mask[row:row + 2, column:column + 16] = True
        _write(folder / "scratch" / place, picture + 70 * mask)
        _write(folder / "ground_truth" / "scratch" / place, 255.0 * mask)


def _write(file: Path, values: NDArray[np.floating]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(file, compress_level=1)
