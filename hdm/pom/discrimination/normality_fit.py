"""Fitting what good images look like, from a line's training images alone."""

import torch
from torch import Tensor

from hdm.detector.evidence import canvas_of, moments, scan
from hdm.detector.memory import Memory, farthest, features_by_place
from hdm.detector.normality import Normality, joined_pixels
from hdm.detector.texture import AT_ONCE, CELL, FAINT, Texture, energies, excess, texture_figures

LEAST_DEVIATION = 0.01
"""A place that never varied is not infinitely odd when it does."""
SHARED, RIDGE = 0.3, 0.01
"""Share of a place's covariance that is taken from all places, and of the identity."""
REMEMBERED = 4096
FLOOR = 0.01
"""Added to variances of features, as a share of the mean one: a feature that never fired is not
infinitely odd when it does."""


def fit_normality(images: Tensor, logits: Tensor, context: Tensor, posed: Tensor | None
                  ) -> Normality:
    """From N good images (N, C, H, W), and the discriminator's logits (N, 1, H, W) and context
    (N, D, h, w) of them.

    posed: the same images in other poses that are as good, so that texture does not take a part
    that lies a little elsewhere for a defect; None where a place means nothing, or the logits
    are to count alone. Layouts that never repeat cannot be remembered, either.

    An image's own part in what is known of good ones does not count in moments.
    """
    memory, texture = None, None
    distances, rarity = torch.zeros(1), torch.zeros(len(images), 1, 1, 1)
    if posed is not None:
        memory, distances = fit_memory(context)
        texture, rarity = fit_texture(torch.cat([images, posed])), _unseen(images, posed)
    logit, place = moments(logits), moments(rarity)
    pixels = joined_pixels(logits, logit, rarity[:len(images)] if texture else None, place)
    pixel = moments(pixels)
    windows = moments(scan(pixels, canvas_of(images), pixel))
    return Normality(memory, texture, logit, place, pixel, windows, moments(excess(rarity)),
               moments(distances))


def fit_texture(images: Tensor) -> Texture:
    """From good images (N, C, H, W), normalised."""
    parts = [energies(part) for part in images.split(AT_ONCE)]
    energy, brightness = (torch.cat(kind) for kind in zip(*parts, strict=True))
    typical = energy.movedim(1, 3).flatten(0, 2).median(0).values.clamp(min=FAINT)
    points = texture_figures(energy, brightness, typical)
    mean = points.mean(0)
    deviation = (points.var((0, 1), correction=0) + LEAST_DEVIATION**2).sqrt()
    standardised = ((points - mean) / deviation).double().movedim(0, 1)
    own = standardised.mT @ standardised / len(images)
    shared, identity = own.mean(0), torch.eye(own.shape[-1])
    covariance = (1 - SHARED) * own + SHARED * shared + RIDGE * identity
    whitening = torch.linalg.cholesky(torch.linalg.inv(covariance)).float()
    return Texture(typical, mean, (whitening / deviation[:, None]).contiguous())


def fit_memory(context: Tensor) -> tuple[Memory, Tensor]:
    """From features (N, D, h, w) of N good images; also these images' distances (N,), to what
    is remembered of the others."""
    points = features_by_place(context)
    mean = points.mean(0)
    variance = (points - mean).pow(2).mean(0)
    deviation = (variance + FLOOR * variance.mean()).clamp(min=1e-12).sqrt()
    standard = ((points - mean) / deviation).double()
    correlations = standard.T @ standard / len(points)
    precision = torch.linalg.inv(correlations + FLOOR * torch.eye(len(mean)))
    whitening = torch.linalg.cholesky(precision).float() / deviation[:, None]
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(points), generator=generator)[:REMEMBERED]
    white = (points - mean) @ whitening
    remembered, owner = white[chosen], chosen // (len(points) // len(context))
    others = [remembered[owner != image] for image in range(len(context))]
    distances = torch.stack([farthest(own, rest) for own, rest
                             in zip(white.view(len(context), 1, -1, len(mean)), others,
                                    strict=True) if len(rest)] or [torch.zeros(1)])
    return Memory(mean, whitening, remembered), distances.flatten()


def _unseen(images: Tensor, posed: Tensor) -> Tensor:
    """Distances of texture of both, each half of the images by what is known of the other half."""
    both = torch.cat([images, posed])
    found = torch.empty(len(both), 1, *(side // CELL for side in both.shape[-2:]))
    half = (torch.arange(len(images)) % 2 == 0).repeat(2)
    for known in (half, ~half):
        judge = fit_texture(both[known if known.any() else ~known])
        parts = both[~known].split(AT_ONCE)
        found[~known] = torch.cat([judge.distance(part) for part in parts])
    return found
