"""Pictures that people spoke of: gratings, some with a bright square."""

from pathlib import Path

import numpy as np
import tiny

from hdm.dataset.manifest import Manifest, Row

SIDE = 64
DENT = (slice(16, 32), slice(32, 48))


def said(folder: Path, kind: str, count: int, *, masked: bool = False, parts=None) -> Manifest:
    """Pictures of a kind, `good` or with a dent; parts: the part of each."""
    rng, rows = np.random.default_rng(len(kind)), []
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[DENT] = 255
    for number in range(count):
        image = 120 + 30 * np.sin(np.arange(SIDE) * 2 * np.pi / 8 + rng.uniform(0, 6)) \
            + rng.normal(0, 2, (SIDE, SIDE))
        if kind != "good":
            image[DENT] = 200
        name, drawn = f"{kind}{number}.png", f"masks/{kind}{number}.png" if masked else None
        tiny.write_png(folder / name, np.clip(image, 0, 255).astype(np.uint8))
        if drawn:
            tiny.write_png(folder / drawn, mask)
        rows.append(Row(name, "holdout", int(kind != "good"), kind, drawn,
                        parts[number] if parts else name, SIDE, SIDE, 1, 8, 8, f"{number:064}"))
    return Manifest.of(rows, folder, folder)
