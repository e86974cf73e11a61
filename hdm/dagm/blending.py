"""Mixing anomalous content into a good image, and which pixels visibly changed by it."""

import numpy as np
from scipy import ndimage

from hdm.dagm.mask_codes import CHANGED, IGNORED, NOT_INSPECTED, UNCHANGED

VISIBLE_DEVIATIONS = 1.5
VISIBLE_AT_LEAST = 0.08  # of a range of 2: what a person sees at a glance
VISIBLE_PIXELS = 4
TOUCHED = 0.05


def blend(base: np.ndarray, content: np.ndarray, mask: np.ndarray, strength: float,
          feather: float, visible: float, ignored: np.ndarray | None = None
          ) -> tuple[np.ndarray, np.ndarray, float]:
    """Let `content` through `mask` at the opacity that gives the wanted strength.

    The opacity is what brings the mean change inside the mask to `strength`, so that every source
    makes defects from faint to plain.

    Args:
        base, content: float (C, H, W) in about [-1, 1]. mask: bool (H, W), not empty.
        strength: mean absolute change inside the mask, of a range of 2.
        feather: standard deviation of the soft edge in px.
        visible: smallest visible change of `base`, see `visible_change`.
        ignored: bool (H, W), what of the line's pictures is not inspected and stays as it is.

    Returns: image (C, H, W); label uint8 (H, W) of hdm.dagm.mask_codes; opacity in [0, 1].
    """
    difference = np.abs(content - base).mean(0)[mask].mean()
    opacity = min(1.0, strength / max(float(difference), 1e-6))
    alpha = ndimage.gaussian_filter(mask.astype(np.float32), feather)
    alpha = np.clip(alpha / max(alpha.max(), 1e-3), 0, 1) * opacity
    if ignored is not None:
        alpha[ignored] = 0
    image = np.clip(base + alpha * (content - base), -3, 3).astype(np.float32)
    change = np.abs(image - base).mean(0)
    seen = ndimage.maximum_filter(ndimage.uniform_filter(change, 3), 3) > visible
    label = np.where(alpha > TOUCHED, np.where(seen, CHANGED, IGNORED), UNCHANGED).astype(np.uint8)
    if ignored is not None:
        label[ignored] = NOT_INSPECTED
    return image, label, opacity


def visible_change(image: np.ndarray, ignored: np.ndarray | None = None) -> float:
    """Smallest change of the good image (C, H, W) that stands out of its noise."""
    return max(VISIBLE_AT_LEAST, VISIBLE_DEVIATIONS * noise_level(image, ignored))


def noise_level(image: np.ndarray, ignored: np.ndarray | None = None) -> float:
    """Standard deviation of the pixel noise of (C, H, W), from second differences (Immerkær), where
    it is not `ignored` (H, W)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
    detail = np.abs(ndimage.convolve(image.mean(0), kernel, mode="mirror"))
    seen = detail if ignored is None else detail[~ignored]
    return float(max(0.01, np.median(seen) * 1.4826))
