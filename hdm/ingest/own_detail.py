"""What is peculiar to an image of a line: fine detail that the others do not have."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from hdm.ingest.thumbnails import SIDE, Pictures

_WINDOW = 9  # thumbnail px; what is coarser than this counts as level, not as detail
_COMPONENTS = 16  # main variation taken out: lighting, pose within the fixture
_FIT_IMAGES = 1000  # images that the main variation is estimated from
_LEVEL_BLOCKS = 8
_LEAST_DETAIL = 0.05 / 255  # rms below which there is nothing to compare


class OwnDetail:
    """Unit vectors of the own detail of `pictures`, some at a time; mean and main variation are
    those of the images numbered `fit`."""

    def __init__(self, pictures: Pictures, fit: NDArray[np.intp]) -> None:
        self._pictures = pictures
        chosen = fit[np.linspace(0, len(fit) - 1, min(len(fit), _FIT_IMAGES)).astype(int)]
        sample = _detail(self._values(chosen))
        self._mean = sample.mean(axis=0)
        sample -= self._mean
        self._basis: NDArray[np.float32] | None = None
        number = min(_COMPONENTS, len(chosen) // 4)
        if number:
            weights, vectors = np.linalg.eigh(sample @ sample.T)
            kept = weights[-number:] > 1e-6 * max(float(weights[-1]), 1e-12)
            self._basis = sample.T @ (vectors[:, -number:][:, kept]
                                      / np.sqrt(weights[-number:][kept]))

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, SIDE²) of these images; zero where there is nothing."""
        detail = _detail(self._values(rows))
        before = np.linalg.norm(detail, axis=1, keepdims=True)
        detail -= self._mean
        if self._basis is not None:
            detail -= (detail @ self._basis) @ self._basis.T
        size = np.linalg.norm(detail, axis=1, keepdims=True)
        # A blank image has no detail; what is left of it is the others' mean, shared by all blanks.
        enough = (size / SIDE > _LEAST_DETAIL) & (before > size / 2)
        return np.where(enough, detail / np.maximum(size, 1e-12), 0).astype(np.float32)

    def levels(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, 64) means of these images over blocks, in [0, 1]."""
        blocks = self._values(rows).reshape(-1, _LEVEL_BLOCKS, SIDE // _LEVEL_BLOCKS,
                                            _LEVEL_BLOCKS, SIDE // _LEVEL_BLOCKS)
        means: NDArray[np.float32] = blocks.mean(axis=(2, 4)).reshape(len(rows), -1)
        return means

    def _values(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._pictures[rows].astype(np.float32) / np.float32(65535)


def _detail(values: NDArray[np.float32]) -> NDArray[np.float32]:
    smooth = uniform_filter(values, size=(0, _WINDOW, _WINDOW), mode="nearest")
    return (values - smooth).reshape(len(values), -1)
