"""PatchCore's model of features (Roth et al. 2022): distance to a coreset of good patches.

Without its re-weighting of the image score by the neighbourhood of the worst patch.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, from_numpy
from torch.nn import functional as F

from benchmarks.quality.methods.maps import anomaly_maps

CANDIDATES = 20_000
"""Patches that the coreset is drawn from; the paper's greedy choice among all takes hours here."""
CORESET = 2_000
NEIGHBOURHOOD = 3


class Neighbours:
    """A coreset of patches of good images; features (N, D, h, w)."""

    def __init__(self, features: Tensor, seed: int, *, pooled: bool = False) -> None:
        """pooled: a patch comes with its neighbourhood's mean already."""
        self.pooled = pooled
        self.centre = features.mean((0, 2, 3))[:, None, None]
        self.scale = features.std((0, 2, 3))[:, None, None].clamp(min=1e-6)
        points = self._points(features)
        rng = np.random.default_rng(seed)
        some = rng.permutation(len(points))[:CANDIDATES]
        self.coreset = points[some][greedy_cover(points[some], CORESET)]
        self.search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(self.coreset)

    def distances(self, features: Tensor) -> Tensor:
        """Distance of each patch to the nearest of the coreset, (N, h, w)."""
        found = self.search.kneighbors(self._points(features))[0][:, 0]
        return from_numpy(found.astype(np.float32)).view(len(features), *features.shape[-2:])

    def score(self, features: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Image scores, the largest distance of a patch, and maps of `size`."""
        grid = self.distances(features)
        return grid.amax((1, 2)), anomaly_maps(grid, size)

    def _points(self, features: Tensor) -> np.ndarray:
        """Standardised patches (N h w, D), each with its neighbourhood's mean."""
        standard = (features - self.centre) / self.scale
        around = standard if self.pooled else F.avg_pool2d(
            standard, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)
        return around.permute(0, 2, 3, 1).flatten(0, 2).numpy()


def greedy_cover(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of `count` of (N, D) points, each the farthest from those before (k-centre)."""
    squares = (points**2).sum(1)
    chosen = [int(np.argmax(squares))]
    nearest = np.full(len(points), np.inf, points.dtype)
    while len(chosen) < min(count, len(points)):
        last = chosen[-1]
        nearest = np.minimum(nearest, squares - 2 * points @ points[last] + squares[last])
        chosen.append(int(np.argmax(nearest)))
    return np.array(chosen)
