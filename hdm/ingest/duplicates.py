"""Copies of one picture on both sides of the train / test border.

Exact copies have the same decoded pixels. Near copies were re-encoded, saved in another format or
slightly resized. Different parts in one fixture look alike too, so the rule does not ask how alike
two images are, but whether they share what is peculiar to them: fine detail that is left after the
main variation of the training images (mean and leading components) has been taken out. Another
exposure of the same part keeps that detail but changes the level, and is not a copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from hdm.dataset.images import to_float

SIDE = 64
"""Side of a thumbnail: JPEG keeps detail at this scale, fine noise is averaged out."""

_WINDOW = 9  # thumbnail px; what is coarser than this counts as level, not as detail
_COMPONENTS = 16  # main variation taken out: lighting, pose within the fixture
_FIT_IMAGES = 1000  # images that the main variation is estimated from
_LEVEL_BLOCKS = 8
_LEVEL_TOLERANCE = 2.0 / 255  # rms over 8x8 blocks; re-encoding moves it by less than 0.7/255
_ASPECT_TOLERANCE = 0.03
_LEAST_DETAIL = 0.05 / 255  # rms below which there is nothing to compare
_CORRELATION = (0.6, 0.9)  # least and greatest limit, see `_limit`
_FEW, _CORRELATION_OF_FEW = 16, 0.97  # fewer images do not show what they have in common
_OUTLIER = 15.0  # robust deviations from the usual nearest neighbour


@dataclass(frozen=True)
class NearDuplicate:
    """Two images that show the same picture; `correlation` of their own detail, up to 1."""

    first: int
    second: int
    correlation: float


def thumbnail(image: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(SIDE, SIDE) luminance over the whole 16-bit range, whatever the image's size and depth."""
    values = to_float(image)
    grey = values.mean(axis=2) if values.ndim == 3 else values
    small = Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.rint(np.asarray(small).clip(0, 1) * 65535).astype(np.uint16)


def exact_duplicates(hashes: Sequence[str], sides: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of images with one hash but different `sides` (any labels), each image named once."""
    first: dict[str, int] = {}
    pairs = []
    for index, (digest, side) in enumerate(zip(hashes, sides, strict=True)):
        seen = first.setdefault(digest, index)
        if sides[seen] != side:
            pairs.append((seen, index))
    return pairs


def near_duplicates(
    thumbnails: NDArray[np.uint16], aspects: NDArray[np.floating],
    fit: NDArray[np.bool_], test: NDArray[np.bool_],
) -> list[NearDuplicate]:
    """Pairs (image of `fit`, image of `test`) that show the same picture, best match first.

    `thumbnails` (N, SIDE, SIDE), `aspects` (N,) width / height, `fit` and `test` (N,) masks of
    the two sides. Two images of one aspect and level are copies when the correlation of their own
    detail is above a limit in [0.6, 0.9], which is lower the less alike the others are; it is
    0.97 where `fit` has fewer than 16 images.
    """
    rows, columns = np.flatnonzero(fit), np.flatnonzero(test)
    if not len(rows) or not len(columns):
        return []
    values = thumbnails.astype(np.float32) / np.float32(65535)
    own = _own_detail(values, rows)
    blocks = values.reshape(-1, _LEVEL_BLOCKS, SIDE // _LEVEL_BLOCKS,
                            _LEVEL_BLOCKS, SIDE // _LEVEL_BLOCKS).mean(axis=(2, 4))
    levels = blocks.reshape(len(values), -1)
    correlation = own[rows] @ own[columns].T
    found = np.argwhere(correlation > _limit(correlation.max(axis=0), len(rows)))
    first, second = rows[found[:, 0]], columns[found[:, 1]]
    same_level = np.sqrt(((levels[first] - levels[second]) ** 2).mean(axis=1)) <= _LEVEL_TOLERANCE
    same_aspect = np.abs(np.log(aspects[first] / aspects[second])) <= _ASPECT_TOLERANCE
    pairs = [NearDuplicate(int(a), int(b), float(correlation[i, j]))
             for a, b, (i, j), keep in zip(first, second, found, same_level & same_aspect,
                                           strict=True) if keep]
    return sorted(pairs, key=lambda pair: (-round(pair.correlation, 4), pair.first, pair.second))


def _own_detail(values: NDArray[np.float32], fit: NDArray[np.intp]) -> NDArray[np.float32]:
    """(N, D) unit vectors of what is peculiar to each image; zero where there is nothing."""
    smooth = uniform_filter(values, size=(0, _WINDOW, _WINDOW), mode="nearest")
    detail = (values - smooth).reshape(len(values), -1)
    before = np.linalg.norm(detail, axis=1, keepdims=True)
    chosen = fit[np.linspace(0, len(fit) - 1, min(len(fit), _FIT_IMAGES)).astype(int)]
    mean = detail[chosen].mean(axis=0)
    detail -= mean
    number = min(_COMPONENTS, len(chosen) // 4)
    if number:
        sample = detail[chosen]
        weights, vectors = np.linalg.eigh(sample @ sample.T)
        kept = weights[-number:] > 1e-6 * max(float(weights[-1]), 1e-12)
        basis = sample.T @ (vectors[:, -number:][:, kept] / np.sqrt(weights[-number:][kept]))
        detail -= (detail @ basis) @ basis.T
    size = np.linalg.norm(detail, axis=1, keepdims=True)
    # A blank image has no detail; what is left of it is the others' mean, shared by all blanks.
    enough = (size / SIDE > _LEAST_DETAIL) & (before > size / 2)
    return np.where(enough, detail / np.maximum(size, 1e-12), 0).astype(np.float32)


def _limit(nearest: NDArray[np.float32], fit_images: int) -> float:
    """The correlation above which a pair stands out from every image's usual nearest neighbour."""
    if fit_images < _FEW:
        return _CORRELATION_OF_FEW
    median = float(np.median(nearest))
    spread = 1.4826 * float(np.median(np.abs(nearest - median)))
    return float(np.clip(median + _OUTLIER * spread, *_CORRELATION))
