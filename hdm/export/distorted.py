"""Pictures that no good part gives, made of a line's own: an exported model is held to them, too.

Good parts alone would leave untried what calls a picture a defect, or undecidable.
"""

from collections.abc import Callable, Sequence

import numpy as np

Kind = Callable[[np.ndarray], np.ndarray]


def distorted(images: Sequence[np.ndarray], *, sizes: bool) -> list[np.ndarray]:
    """One picture a kind, each made of another of the images (H, W) or (H, W, 3), of its type.

    sizes: whether a picture of another size is among them.
    """
    kinds = [*KINDS, _cropped] if sizes else KINDS
    return [np.ascontiguousarray(kind(images[number % len(images)]))
            for number, kind in enumerate(kinds)]


def _scratched(image: np.ndarray) -> np.ndarray:
    """A line across it, as bright as its brightest pixel."""
    out, (height, width) = image.copy(), image.shape[:2]
    steps = np.linspace(0.2, 0.8, 4 * max(height, width))
    thick = max(1, min(height, width) // 60)
    for offset in range(thick):
        rows = np.minimum((steps * height).astype(int) + offset, height - 1)
        out[rows, (steps[::-1] * width).astype(int)] = image.max()
    return out


def _spotted(image: np.ndarray) -> np.ndarray:
    """A dark square, an eighth of the shorter side wide, to the left of the middle."""
    out, (height, width) = image.copy(), image.shape[:2]
    side = max(1, min(height, width) // 8)
    out[height // 2:height // 2 + side, width // 3:width // 3 + side] = image.min()
    return out


def _covered(image: np.ndarray) -> np.ndarray:
    """A hand before the lens: its lower half is dark."""
    out = image.copy()
    out[image.shape[0] // 2:] //= 4
    return out


def _dark(image: np.ndarray) -> np.ndarray:
    return image // 8


def _bright(image: np.ndarray) -> np.ndarray:
    """Three times as bright, clipped at its brightest pixel."""
    return np.minimum(image.astype(np.uint32) * 3, int(image.max())).astype(image.dtype)


def _blurred(image: np.ndarray) -> np.ndarray:
    """Out of focus: each pixel the mean of a square, an eighth of the shorter side wide."""
    side = max(1, min(image.shape[:2]) // 16)
    values = image.astype(np.float64)
    for axis in (0, 1):
        place = np.arange(image.shape[axis])
        shifted = (values.take(np.clip(place + step, 0, place[-1]), axis)
                   for step in range(-side, side + 1))
        values = sum(shifted, np.zeros(1)) / (2 * side + 1)
    return values.astype(image.dtype)


def _noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, (float(image.max()) - image.min()) / 8, image.shape)
    return (image + noise).clip(0, np.iinfo(image.dtype).max).astype(image.dtype)


def _turned(image: np.ndarray) -> np.ndarray:
    return image[::-1, ::-1]


def _cropped(image: np.ndarray) -> np.ndarray:
    """Its middle, a sixteenth less on every side."""
    rows, columns = (side // 16 for side in image.shape[:2])
    return image[rows:image.shape[0] - rows, columns:image.shape[1] - columns]


KINDS: tuple[Kind, ...] = (_scratched, _spotted, _covered, _dark, _bright, _blurred, _noisy,
                           _turned)
