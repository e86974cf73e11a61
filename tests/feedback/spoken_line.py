"""A line of photographs with a manifest, of which people can speak."""

import numpy as np
import tiny
from scipy.ndimage import gaussian_filter

from hdm.dataset.images import pixel_hash
from hdm.dataset.manifest import Manifest, Row
from hdm.line import Line

SIDE = 64
SPLITS = ["train"] * 30 + ["calibration"] * 12 + ["test"] * 12 + ["holdout"] * 2


def photograph(seed: int, channels: int = 1, dtype: type = np.uint8) -> np.ndarray:
    """A part with grain of its own in the line's one fixture."""
    rng = np.random.default_rng(1000 + seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    fixture = 110 + 30 * np.sin(x / 7) + 20 * (y > 40)
    grain = 14 * gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 1.0) / 0.28
    image = np.clip(fixture + grain + rng.normal(0, 2, (SIDE, SIDE)), 0, 255)
    found = (image * (np.iinfo(dtype).max / 255)).astype(dtype)
    return found if channels == 1 else np.repeat(found[..., None], 3, 2)


def make_line(folder) -> Line:
    """54 good photographs, each a part of its own; `good/40.png` and `good/41.png` are of one part
    that is tested."""
    project = tiny.write_project(folder)
    rows = []
    for index, split in enumerate(SPLITS):
        image, name = photograph(index), f"good/{index:02}.png"
        tiny.write_png(project / "images" / name, image)
        group = "block-a" if index in (42, 43) else name
        rows.append(Row(name, split, 0, "good", None, group, SIDE, SIDE, 1, 8, 8,
                        pixel_hash(image)))
    line = Line.load("plate", project)
    Manifest.of(rows, line.source_root).save(line.manifest_file)
    return line
