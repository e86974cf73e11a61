"""DRAEM's synthetic defects: foreign texture in thresholded Perlin noise.

DRAEM takes its textures from DTD, which is not free of a download; here they are HDM's procedural
ones (fractal noise and gratings), drawn beforehand as the masks are, and mirrored at random when
they are used.
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from hdm.dagm.sources import procedural

POOL = 256
THRESHOLD = 0.5
CELLS = 6
"""Perlin cells along each axis are 2^0 ... 2^5, drawn for each axis by itself."""
OPACITY = (0.1, 1.0)


class Corruptions:
    """Masks (P, 1, H, W) and textures (P, C, H, W) for images like `normals` (N, C, H, W)."""

    def __init__(self, normals: Tensor, seed: int) -> None:
        rng = np.random.default_rng(seed)
        size = (normals.shape[-2], normals.shape[-1])
        masks = np.stack([perlin_mask(rng, size) for _ in range(POOL)])
        bases = normals[torch.from_numpy(rng.integers(len(normals), size=POOL))].numpy()
        textures = np.stack([procedural(rng, base, base) for base in bases])
        self.masks = torch.from_numpy(masks[:, None].astype(np.float32))
        self.textures = torch.from_numpy(textures.astype(np.float32)).clamp(-1, 1)

    def apply(self, normals: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Corrupt each of (N, C, H, W); returns what is seen and the masks (N, 1, H, W)."""
        n = len(normals)
        masks = _mirrored(self.masks[_draw(POOL, n, generator)], generator)
        textures = _mirrored(self.textures[_draw(POOL, n, generator)], generator)
        low, high = OPACITY
        opacity = low + (high - low) * torch.rand(n, 1, 1, 1, generator=generator)
        return normals + masks * opacity * (textures - normals), masks


def perlin_mask(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Perlin noise, turned by up to 90 degrees, above the threshold; bool (H, W), never empty."""
    while True:
        cells = 2 ** rng.integers(0, CELLS, 2)
        side = max(size)
        field = perlin_noise(rng, (side, side), (int(cells[0]), int(cells[1])))
        field = ndimage.rotate(field, rng.uniform(-90, 90), reshape=False, order=1, mode="mirror")
        mask = field[:size[0], :size[1]] > THRESHOLD
        if mask.any():
            return mask


def perlin_noise(rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int]
                 ) -> np.ndarray:
    """Gradient noise (H, W) with `cells` periods along the axes, in about [-1, 1] (Perlin 1985):
    0 at every lattice point, smooth between."""
    angles = rng.uniform(0, 2 * np.pi, (cells[0] + 1, cells[1] + 1))
    gradients = np.stack([np.sin(angles), np.cos(angles)])
    place = np.meshgrid(*(np.arange(s) * c / s for s, c in zip(size, cells, strict=True)),
                        indexing="ij")
    corner = [np.floor(p).astype(int) for p in place]
    inside = [p - c for p, c in zip(place, corner, strict=True)]
    fade = [t**3 * (t * (6 * t - 15) + 10) for t in inside]
    total = np.zeros(size)
    for down in (0, 1):
        for right in (0, 1):
            slope = gradients[:, corner[0] + down, corner[1] + right]
            height = slope[0] * (inside[0] - down) + slope[1] * (inside[1] - right)
            total += height * (fade[0] if down else 1 - fade[0]) * \
                (fade[1] if right else 1 - fade[1])
    return np.sqrt(2) * total


def synthetic_auroc(score: Callable[[Tensor], tuple[Tensor, Tensor]], good: Tensor,
                    corruptions: Corruptions, seed: int) -> float:
    """Mean of image and pixel AUROC on synthetic defects of held-out good images (N, C, H, W):
    what baselines choose their settings by."""
    from sklearn.metrics import roc_auc_score

    seen, masks = corruptions.apply(good, torch.Generator().manual_seed(seed))
    clean, found = score(good), score(seen)
    image = roc_auc_score([0] * len(good) + [1] * len(good), torch.cat([clean[0], found[0]]))
    inside = masks[:, 0].flatten() > 0
    pixel = roc_auc_score(inside, found[1].flatten())
    return float(image + pixel) / 2


def _draw(count: int, n: int, generator: torch.Generator) -> Tensor:
    return torch.randint(count, (n,), generator=generator)


def _mirrored(images: Tensor, generator: torch.Generator) -> Tensor:
    for axis in (2, 3):
        turn = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
        images = torch.where(turn, images.flip(axis), images)
    return images
