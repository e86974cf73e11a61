"""Where the part is, for lines that show an object before a plain background."""

import numpy as np
from scipy import ndimage
from torch import Tensor

BORDER_UNIFORMITY = 0.35
AREA = (0.05, 0.9)


def foregrounds(images: Tensor) -> list[np.ndarray | None]:
    """For each of (N, C, H, W): bool (H, W) of the object, or None where none stands out.

    The border's colour is taken for the background only if the border is much more uniform than
    the image; pixels far from it, closed and filled, are the object.
    """
    return [_foreground(image.numpy()) for image in images]


def _foreground(image: np.ndarray) -> np.ndarray | None:
    width = max(2, min(image.shape[1:]) // 24)
    edge = np.ones(image.shape[1:], bool)
    edge[width:-width, width:-width] = False
    smooth = ndimage.gaussian_filter(image, (0, 1.0, 1.0))
    border = smooth[:, edge]
    background = np.median(border, axis=1)
    spread = np.abs(border - background[:, None]).mean()
    if smooth.std() < 1e-6:  # one flat colour
        return None
    if spread > BORDER_UNIFORMITY * smooth.std():
        return None
    distance = np.abs(smooth - background[:, None, None]).mean(0)
    mask = distance > max(3 * spread, otsu(distance)[1] * 0.6)
    mask = ndimage.binary_fill_holes(ndimage.binary_closing(mask, iterations=2))
    labels, count = ndimage.label(mask)
    if count == 0:
        return None
    largest = 1 + int(np.argmax(ndimage.sum(mask, labels, range(1, count + 1))))
    # Defects also stick out of an object: burrs, flash, dirt beside the edge.
    margin = max(2, min(mask.shape) // 20)
    mask = ndimage.binary_dilation(labels == largest, iterations=margin)
    return mask if AREA[0] <= mask.mean() <= AREA[1] else None


def otsu(values: np.ndarray) -> tuple[float, float]:
    """Otsu (1979): the largest variance between two classes of values, and the threshold between
    them, which is the middle of one of 64 bins."""
    counts, edges = np.histogram(values, 64)
    middle = (edges[:-1] + edges[1:]) / 2
    weight = np.cumsum(counts)
    mean = np.cumsum(counts * middle)
    rest = weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        between = weight * rest * (mean / weight - (mean[-1] - mean) / rest) ** 2
    best = int(np.nanargmax(between[:-1]))
    return float(between[best]) / len(values) ** 2, float(middle[best])
