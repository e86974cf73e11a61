"""Plates as a camera takes them, with masks of their dents: sources in any layout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from image_files import write

HEIGHT, WIDTH = 40, 56


def plate(seed: int, dent: bool = False) -> np.ndarray:
    """(HEIGHT, WIDTH) grey, noisy; with a dent where `dent_mask(seed)` is."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = 110 + 25 * np.sin(x / 7) + 12 * np.cos(y / 5) + rng.normal(0, 5, (HEIGHT, WIDTH))
    pixels[10:30, 15:40] += 50
    image = pixels.clip(0, 255).astype(np.uint8)
    if dent:
        image[dent_mask(seed)] = 255 - image[dent_mask(seed)] // 2
    return image


def dent_mask(seed: int) -> np.ndarray:
    """(HEIGHT, WIDTH) bool: a square that touches no border."""
    rng = np.random.default_rng(seed)
    top, left = rng.integers(3, HEIGHT - 13), rng.integers(3, WIDTH - 13)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top:top + 9, left:left + 9] = True
    return mask


def plates(root: Path, mask: Callable[[Path, int, np.ndarray], None] | None = None, *,
           good: str = "good", defect: str = "dent", number: int = 14, defects: int = 4) -> Path:
    """`good`/ and `defect`/; `mask(root, number, marked)` writes what goes with a defect."""
    for index in range(number):
        write(root / good / f"{index:03d}.png", plate(index))
    for index in range(defects):
        write(root / defect / f"{index:03d}.png", plate(1000 + index, dent=True))
        if mask:
            mask(root, index, dent_mask(1000 + index))
    return root
