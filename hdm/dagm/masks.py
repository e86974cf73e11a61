"""The mask library: where a synthetic defect sits, and its shape.

Every function takes a numpy Generator and (height, width) and returns a bool mask (H, W).
Families and sizes follow what inspection sets show: blobs, stains, scratches, cracks, pinholes,
bands and bites out of the border; areas are spread log-uniformly.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

Size = tuple[int, int]
MINIMUM_PIXELS = 6


def noise_field(rng: np.random.Generator, size: Size, period: float) -> np.ndarray:
    """Smooth value noise (H, W) in about [-1, 1] with features of `period` px."""
    rows, columns = (max(2, int(np.ceil(side / period)) + 2) for side in size)
    grid = rng.uniform(-1, 1, (rows, columns))
    top, left = rng.uniform(0, 1, 2)
    # Rows, then columns: as the spline over the plane at a tenth of the time.
    down = _cubic(np.arange(size[0]) / period + top, rows)
    across = _cubic(np.arange(size[1]) / period + left, columns)
    return down @ grid @ across.T


def _cubic(places: np.ndarray, count: int) -> np.ndarray:
    """Weights (P, count) of `count` knots at `places` (Catmull & Rom 1974), held at the ends."""
    t = places - np.floor(places)
    weights = np.stack([((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2,
                        ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t], 1) / 2
    knots = np.clip(np.floor(places).astype(int)[:, None] + np.arange(-1, 3), 0, count - 1)
    matrix = np.zeros((len(places), count))
    np.add.at(matrix, (np.arange(len(places))[:, None], knots), weights)
    return matrix


def perlin(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Thresholded noise, limited to a window so that its area varies widely."""
    field = noise_field(rng, size, float(2 ** rng.uniform(2.5, 5)))
    return (field > rng.uniform(0.25, 0.5)) & _window(rng, size)


def ellipses(rng: np.random.Generator, size: Size, centre: np.ndarray | None = None) -> np.ndarray:
    """One to three overlapping ellipses with a wobbly outline, around `centre` if given."""
    y, x = np.mgrid[:size[0], :size[1]].astype(float)
    wobble = 0.35 * noise_field(rng, size, 12)
    centre = rng.uniform(0, 1, 2) * size if centre is None else centre
    mask = np.zeros(size, bool)
    radius = 2.0 * (0.16 * min(size) / 2.0) ** rng.uniform(0, 1)
    for _ in range(rng.integers(1, 4)):
        cy, cx = centre + rng.normal(0, radius, 2)
        angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.4, 1)
        u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        mask |= np.sqrt((u / radius) ** 2 + (v / (radius * ratio)) ** 2) < 1 + wobble
    return mask


def scratch(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A thin line that keeps its direction, sometimes crossed by a second one."""
    mask = np.zeros(size, bool)
    for _ in range(1 + (rng.random() < 0.2)):
        mask |= _walk(rng, size, turn=rng.uniform(0.01, 0.12))
    return mask


def crack(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A jagged line with branches."""
    mask = _walk(rng, size, turn=rng.uniform(0.3, 0.7))
    for _ in range(rng.integers(0, 3)):
        mask |= _walk(rng, size, turn=0.6, start=_random_pixel(rng, mask), scale=0.5)
    return mask


def pinholes(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A loose cluster of one to six small discs."""
    y, x = np.mgrid[:size[0], :size[1]]
    centre, mask = rng.uniform(0, 1, 2) * size, np.zeros(size, bool)
    for _ in range(rng.integers(1, 7)):
        cy, cx = centre + rng.normal(0, 0.08 * min(size), 2)
        mask |= (y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(1.2, 4.0) ** 2
    return mask


def band(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A straight stripe across part of the image, at any angle or along an axis."""
    y, x = np.mgrid[:size[0], :size[1]].astype(float)
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    cy, cx = rng.uniform(0, 1, 2) * size
    along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    width = 1.0 * (0.06 * min(size)) ** rng.uniform(0, 1)
    return (np.abs(across) < width) & (np.abs(along) < rng.uniform(0.1, 0.6) * max(size))


def bite(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A blob at the image border: a break or fray."""
    mask = ellipses(rng, size)
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return mask
    shift = [(-int(rows.mean()), 0), (size[0] - 1 - int(rows.mean()), 0),
             (0, -int(columns.mean())), (0, size[1] - 1 - int(columns.mean()))][rng.integers(4)]
    return ndimage.shift(mask, shift, order=0)


def region(rng: np.random.Generator, size: Size) -> np.ndarray:
    """All on one side of a wavy line: a part that is uneven, half ground, half lit."""
    y, x = np.mgrid[:size[0], :size[1]].astype(float)
    angle = rng.uniform(0, 2 * np.pi)
    cy, cx = rng.uniform(0, 1, 2) * size
    across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    return across > rng.uniform(0, 8) * noise_field(rng, size, 32)


def rim(rng: np.random.Generator, foreground: np.ndarray) -> np.ndarray:
    """A blob on the outline of the object: chipped edges, burrs, flash."""
    inner = ndimage.binary_erosion(foreground, iterations=max(2, min(foreground.shape) // 10))
    outline = np.argwhere(foreground & ~inner)
    return ellipses(rng, foreground.shape, outline[rng.integers(len(outline))].astype(float))


FAMILIES: dict[str, tuple[float, Callable[[np.random.Generator, Size], np.ndarray]]] = {
    "perlin": (0.22, perlin),
    "ellipses": (0.25, ellipses),
    "scratch": (0.17, scratch),
    "crack": (0.10, crack),
    "pinholes": (0.11, pinholes),
    "band": (0.10, band),
    "bite": (0.05, bite),
    "region": (0.04, region),
}
RIM, RIM_SHARE = "rim", 0.15


def draw_mask(rng: np.random.Generator, size: Size, foreground: np.ndarray | None = None,
              family: str | None = None, ignored: np.ndarray | None = None
              ) -> tuple[str, np.ndarray]:
    """A mask, and its family's name.

    Args:
        foreground: bool (H, W); where given, the mask is limited to it.
        family: which family; otherwise a random one. `rim` needs a foreground.
        ignored: bool (H, W), where none is drawn; not everywhere.

    Never empty: a draw with fewer than 6 pixels (or 60 % of the image) is repeated.
    """
    front = foreground if foreground is not None and foreground.any() else np.ones(size, bool)
    allowed = front
    if ignored is not None:
        allowed = front & ~ignored if (front & ~ignored).any() else ~ignored
    names = list(FAMILIES)
    shares = np.array([FAMILIES[name][0] for name in names])
    for _ in range(50):
        name = family or str(rng.choice(names, p=shares / shares.sum()))
        if not family and foreground is not None and rng.random() < RIM_SHARE:
            name = RIM
        if name == RIM and foreground is None:
            name = "ellipses"
        mask = rim(rng, front) if name == RIM else FAMILIES[name][1](rng, size)
        mask &= allowed
        if MINIMUM_PIXELS <= mask.sum() <= 0.6 * mask.size:
            return name, mask
    centre = rng.choice(np.argwhere(allowed))
    y, x = np.mgrid[:size[0], :size[1]]
    return "ellipses", (np.hypot(y - centre[0], x - centre[1]) < 3) & allowed


def _window(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A box of log-uniform side, at a random place."""
    height, width = (int(side * 0.12 * (0.7 / 0.12) ** rng.random()) + 2 for side in size)
    top = int(rng.integers(0, max(1, size[0] - height + 1)))
    left = int(rng.integers(0, max(1, size[1] - width + 1)))
    mask = np.zeros(size, bool)
    mask[top:top + height, left:left + width] = True
    return mask


def _walk(rng: np.random.Generator, size: Size, *, turn: float,
          start: np.ndarray | None = None, scale: float = 1.0) -> np.ndarray:
    """A random walk whose heading changes by N(0, turn) a step, drawn 1 to 3 px wide."""
    length = scale * min(size) * 0.15 * (0.9 / 0.15) ** rng.random()
    step = 3.0
    count = max(2, int(length / step))
    headings = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, turn, count))
    points = (rng.uniform(0, 1, 2) * size if start is None else start) + np.cumsum(
        step * np.stack([np.sin(headings), np.cos(headings)], 1), axis=0)
    canvas = Image.new("1", (size[1], size[0]))
    ImageDraw.Draw(canvas).line([(float(x), float(y)) for y, x in points], fill=1,
                                width=int(rng.choice([1, 1, 2, 2, 3])))
    return np.asarray(canvas).copy()


def _random_pixel(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray | None:
    pixels = np.argwhere(mask)
    return pixels[rng.integers(len(pixels))].astype(float) if len(pixels) else None
