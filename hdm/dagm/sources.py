"""Sources of anomalous content; none needs data of another line.

Each takes a numpy Generator, the normal image and another normal image of the line, both float
(C, H, W) in about [-1, 1], and returns the content (C, H, W) that a mask then lets through.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from hdm.dagm.masks import noise_field

Content = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
REPAINT = "repaint"
"""The source of lines of two tones."""


def cut_paste(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The line's own structure in the wrong place: shifted, turned, scaled (Li et al. 2021)."""
    donor = normal if rng.random() < 0.5 else other
    angle = rng.choice([0.0, rng.uniform(-0.6, 0.6), rng.uniform(-np.pi, np.pi)])
    scale = rng.uniform(0.7, 1.4)
    height, width = donor.shape[1:]
    away = rng.uniform(0.05, 0.5, 2) * rng.choice([-1, 1], 2) * (height, width)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([height / 2, width / 2])
    offset = centre - matrix @ centre + away
    moved = np.stack([ndimage.affine_transform(p, matrix, offset, order=1, mode="mirror")
                      for p in donor])
    return moved + (rng.normal(0, 0.35) if rng.random() < 0.5 else 0)


def photometric(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The same structure, lighter, darker, flatter, harsher, blurred or rippled: stains, fading,
    tool marks."""
    kind = rng.integers(5)
    if kind == 0:
        return normal + rng.choice([-1, 1]) * rng.uniform(0.25, 1.2)
    if kind == 1:
        middle = normal.mean((1, 2), keepdims=True)
        return middle + (normal - middle) * rng.choice([rng.uniform(0, 0.4), rng.uniform(1.8, 3.0)])
    if kind == 2:
        return ndimage.gaussian_filter(normal, (0, *(rng.uniform(1.5, 4),) * 2))
    if kind == 3:
        return normal + rng.uniform(0.3, 1.0) * _grating(rng, normal.shape[1:])
    tint = rng.normal(0, 0.6, (normal.shape[0], 1, 1))
    return normal + tint + 0.2 * noise_field(rng, normal.shape[1:], rng.uniform(6, 24))


def structural(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The line's own structure bent by a local displacement: dents, bent wires, kinks."""
    size = normal.shape[1:]
    period = rng.uniform(10, 32)
    strength = rng.uniform(2, 8)
    y, x = np.mgrid[:size[0], :size[1]].astype(float)
    where = [y + strength * noise_field(rng, size, period) + rng.normal(0, strength / 2),
             x + strength * noise_field(rng, size, period) + rng.normal(0, strength / 2)]
    return np.stack([ndimage.map_coordinates(p, where, order=1, mode="mirror") for p in normal])


def procedural(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A foreign texture: fractal noise or a grating, with the line's range of values."""
    size = normal.shape[1:]
    low, high = np.quantile(normal, [0.02, 0.98])
    if rng.random() < 0.6:
        texture = sum(noise_field(rng, size, 2.0 ** o) / 2 ** (4 - o) for o in (1, 2, 3, 4))
    else:
        texture = _grating(rng, size)
    colour = rng.uniform(low - 0.3, high + 0.3, (normal.shape[0], 1, 1))
    keeps_light = rng.random() < 0.4
    return (normal if keeps_light else colour) + texture[None] * rng.uniform(0.2, 0.8)


def fill(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One value, a gradient or a soft highlight: holes, chips, contamination, specular spots."""
    size = normal.shape[1:]
    low, high = np.quantile(normal, [0.005, 0.995])
    grey = rng.choice([low - rng.uniform(0, 0.5), high + rng.uniform(0, 0.5),
                       rng.uniform(low, high)])
    colour = grey + rng.normal(0, 0.2, (normal.shape[0], 1, 1)) * (rng.random() < 0.5)
    slope = rng.uniform(0, 0.4) * noise_field(rng, size, 40) if rng.random() < 0.5 else 0
    grain = rng.normal(0, rng.uniform(0, 0.06), normal.shape)
    return colour + slope + grain


def repaint(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The colour of some pixel of the image itself, everywhere: what is missing or too much on a
    line of two tones."""
    row, column = (rng.integers(side) for side in normal.shape[1:])
    return np.broadcast_to(normal[:, row, column, None, None], normal.shape).copy()


def shuffle(rng: np.random.Generator, normal: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Own image with its blocks in another order (as TransFusion, Fučka et al. 2024)."""
    block = int(rng.choice([8, 16]))
    channels, height, width = normal.shape
    rows, columns = height // block, width // block
    blocks = normal[:, :rows * block, :columns * block].reshape(
        channels, rows, block, columns, block).transpose(1, 3, 0, 2, 4)
    order = rng.permutation(rows * columns)
    mixed = blocks.reshape(-1, channels, block, block)[order].reshape(blocks.shape)
    out = normal.copy()
    out[:, :rows * block, :columns * block] = mixed.transpose(2, 0, 3, 1, 4).reshape(
        channels, rows * block, columns * block)
    return out


def _grating(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A sine of any direction with a period of 2.5 to 16 px, (H, W) in [-1, 1]."""
    y, x = np.mgrid[:size[0], :size[1]]
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 16)
    return np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)


SOURCES: dict[str, Content] = {
    "cut_paste": cut_paste,
    "photometric": photometric,
    "structural": structural,
    "procedural": procedural,
    "fill": fill,
    "shuffle": shuffle,
    REPAINT: repaint,
}
