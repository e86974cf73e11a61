"""Fitting what good images look like on the canvas, from a line's training images alone."""

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.evidence import moments
from hdm.detector.normality import Normality
from hdm.detector.texture import AT_ONCE, CELL, FAINT, Texture, energies, texture_figures

LEAST_DEVIATION = 0.01
"""A place that never varied is not infinitely odd when it does."""
SHARED, RIDGE = 0.3, 0.01
"""Share of a place's covariance that is taken from all places, and of the identity."""


def fit_normality(images: Tensor, logits: Tensor, posed: Tensor | None,
                  ignored: Tensor | None = None) -> Normality:
    """From N good images (N, C, H, W), and the discriminators' logits (N, 1, H, W) of them.

    posed: the same images in other poses that are as good, so that texture does not take a part
    that lies a little elsewhere for a defect; None where a place means nothing, or the logits
    are to count alone. ignored (N, H, W) bool: what of the images is not inspected, the same of
    all where a place means something; None where all is.

    An image's own part in what is known of good ones does not count in moments.
    """
    logit = logit_moments(logits, ignored)
    if posed is None:
        return Normality(None, logit, torch.tensor([0.0, 1.0]))
    cells = None if ignored is None else _whole_cells(ignored[0])
    distances = _unseen(images, posed, cells)
    return Normality(
        fit_texture(torch.cat([images, posed]), cells), logit,
        moments(distances if cells is None else distances[:, :, ~cells.pixels]))


def logit_moments(logits: Tensor, ignored: Tensor | None) -> Tensor:
    """`moments` of logits (N, 1, H, W) where they are not `ignored`, (N, H, W) bool or None."""
    return moments(logits if ignored is None else logits[~ignored[:, None]])


def fit_texture(images: Tensor, ignored: Ignored | None = None) -> Texture:
    """From good images (N, C, H, W), normalised; ignored: cells that are not inspected."""
    parts = [energies(part) for part in images.split(AT_ONCE)]
    energy, brightness = (torch.cat(kind) for kind in zip(*parts, strict=True))
    seen = energy if ignored is None else energy[:, :, ~ignored.pixels][..., None]
    typical = seen.movedim(1, 3).flatten(0, 2).median(0).values.clamp(min=FAINT)
    points = texture_figures(energy, brightness, typical)
    mean = points.mean(0)
    places = slice(None) if ignored is None else ~ignored.pixels.flatten()
    deviation = (points[:, places].var((0, 1), correction=0) + LEAST_DEVIATION**2).sqrt()
    standardised = ((points - mean) / deviation).double().movedim(0, 1)
    own = standardised.mT @ standardised / len(images)
    shared, identity = own[places].mean(0), torch.eye(own.shape[-1])
    covariance = (1 - SHARED) * own + SHARED * shared + RIDGE * identity
    whitening = torch.linalg.cholesky(torch.linalg.inv(covariance)).float()
    return Texture(typical, mean, (whitening / deviation[:, None]).contiguous(),
                   None if ignored is None else ignored.nearest)


def _whole_cells(ignored: Tensor) -> Ignored | None:
    """Cells of the canvas that (H, W) covers whole; None if it covers none."""
    cells = F.avg_pool2d(ignored[None, None].float(), CELL)[0, 0] == 1
    return Ignored.of(cells) if cells.any() else None


def _unseen(images: Tensor, posed: Tensor, ignored: Ignored | None) -> Tensor:
    """Distances of texture of both, each half of the images by what is known of the other half."""
    both = torch.cat([images, posed])
    found = torch.empty(len(both), 1, *(side // CELL for side in both.shape[-2:]))
    half = (torch.arange(len(images)) % 2 == 0).repeat(2)
    for known in (half, ~half):
        judge = fit_texture(both[known if known.any() else ~known], ignored)
        parts = both[~known].split(AT_ONCE)
        found[~known] = torch.cat([judge.distance(part) for part in parts])
    return found
