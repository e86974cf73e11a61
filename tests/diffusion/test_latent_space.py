"""Whitening: unit variance along principal axes, and nothing made of features that never vary."""

import pytest
import torch

from hdm.diffusion.latent_space import FLOOR, LatentSpace, positions

SPREAD = torch.tensor([3.0, 1.0, 0.3, 0.1])


def correlated(count: int = 4000) -> torch.Tensor:
    """Features (1, 4, 1, count) that vary by SPREAD along turned axes, about 5."""
    generator = torch.Generator().manual_seed(0)
    axes, _ = torch.linalg.qr(torch.randn(4, 4, generator=generator))
    return 5 + (torch.randn(count, 4, generator=generator) * SPREAD @ axes).T[None, :, None]


def fitted(features: torch.Tensor, dimensions: int) -> LatentSpace:
    vectors = features.movedim(1, -1).flatten(0, 2).double()
    return LatentSpace.fit(vectors.mean(0), vectors.T.cov(correction=0), dimensions)


def test_latents_are_uncorrelated_and_of_unit_variance():
    features = correlated()
    latents = fitted(features, 4).latents(features)[0, :, 0]
    variances = torch.linalg.eigvalsh(features[0, :, 0].cov(correction=0)).flip(0)
    kept = variances / (variances + FLOOR * variances.mean())
    torch.testing.assert_close(latents.cov(correction=0), kept.diag(), atol=1e-3, rtol=1e-3)
    assert latents.mean(1).abs().max() < 1e-3
    assert kept[:2].min() > 0.99


def test_the_first_axes_are_those_of_most_variance():
    features = correlated()
    space = fitted(features, 2)
    assert space.whitening.shape == (4, 2)
    scales = space.whitening.norm(dim=0)  # by which a unit along the axis is multiplied
    assert (1 / scales).tolist() == pytest.approx(SPREAD[:2].tolist(), rel=0.05)
    all_of_them = fitted(features, 4).latents(features)
    torch.testing.assert_close(space.latents(features), all_of_them[:, :2])


def test_features_that_never_vary_are_not_blown_up():
    features = correlated()
    still = torch.cat([features, torch.full((1, 2, 1, 4000), 7.0)], 1)
    space = fitted(still, 6)
    assert space.latents(still).abs().max() < 10
    nudged = still.clone()
    nudged[:, 4:] += 0.01
    assert (space.latents(nudged) - space.latents(still)).abs().max() < 0.5
    constant = torch.full((1, 3, 4, 4), 2.0)
    assert fitted(constant, 3).latents(constant).abs().max() < 1e-3


def test_every_place_of_every_image_is_mapped_alone():
    features = correlated(60).view(1, 4, 5, 12).repeat(2, 1, 1, 1)
    features[1, :, 2, 3] = 9.0
    latents = fitted(features, 3).latents(features)
    assert latents.shape == (2, 3, 5, 12)
    changed = (latents[0] != latents[1]).any(0)
    assert changed.nonzero().tolist() == [[2, 3]]


def test_places_are_the_centres_row_by_row():
    expected = [[0.25, 1 / 6], [0.25, 0.5], [0.25, 5 / 6], [0.75, 1 / 6], [0.75, 0.5],
                [0.75, 5 / 6]]
    torch.testing.assert_close(positions(2, 3), torch.tensor(expected))
