"""Three scorers without any learning of defects; a sample line must not be solvable by them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Images = list[NDArray[np.uint8]]


def global_statistics(train: Images, test: Images) -> NDArray[np.float64]:
    """Score by the Mahalanobis distance of 18 colour and gradient statistics."""
    fitted = np.stack([_statistics(image) for image in train])
    mean = fitted.mean(0)
    covariance = np.cov(fitted.T) + 1e-9 * np.eye(fitted.shape[1])
    offset = np.stack([_statistics(image) for image in test]) - mean
    return np.sqrt(np.einsum("ij,ij->i", offset @ np.linalg.inv(covariance), offset))


def image_reconstruction(
    train: Images, test: Images, components: int = 48
) -> NDArray[np.float64]:
    """Score by the PCA reconstruction error of the grey image at 64 x 64."""
    fitted = np.stack([_grey(image, 64).ravel() for image in train])
    mean = fitted.mean(0)
    basis = np.linalg.svd(fitted - mean, full_matrices=False)[2][:components]
    offset = np.stack([_grey(image, 64).ravel() for image in test]) - mean
    return ((offset - offset @ basis.T @ basis) ** 2).mean(1)


def worst_patches(train: Images, test: Images, components: int = 16) -> NDArray[np.float64]:
    """Score by the mean PCA reconstruction error of the three worst 8 x 8 patches at 128 x 128."""
    fitted = np.concatenate([_patches(image) for image in train])
    mean = fitted.mean(0)
    basis = np.linalg.eigh(np.cov((fitted - mean).T))[1][:, ::-1][:, :components]
    scores = []
    for image in test:
        offset = _patches(image) - mean
        errors = ((offset - offset @ basis @ basis.T) ** 2).mean(1)
        scores.append(np.sort(errors)[-3:].mean())
    return np.asarray(scores)


SCORERS = {
    "global statistics": global_statistics,
    "image reconstruction": image_reconstruction,
    "worst patches": worst_patches,
}


def _grey(image: NDArray[np.uint8], side: int) -> NDArray[np.float64]:
    resized = Image.fromarray(image).convert("L").resize((side, side), Image.Resampling.BOX)
    return np.asarray(resized, np.float64) / 255.0


def _patches(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = _grey(image, 128)
    return grey.reshape(16, 8, 16, 8).swapaxes(1, 2).reshape(256, 64)


def _statistics(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    colour = np.asarray(Image.fromarray(image).convert("RGB"), np.float64) / 255.0
    grey = colour.mean(2)
    down, right = np.gradient(grey)
    gradient = np.hypot(down, right)
    # A grey image has three equal channels; the jitter term of the covariance copes with that.
    return np.concatenate([
        colour.mean((0, 1)),
        colour.std((0, 1)),
        np.percentile(grey, (1, 10, 50, 90, 99)),
        [gradient.mean(), gradient.std()],
        np.percentile(gradient, (10, 50, 90, 99, 99.9)),
    ])
