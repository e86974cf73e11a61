"""Texture at its place: energies of plain waves, distances by the closed form."""

import math

import pytest
import torch

from hdm.detector.texture import CELL, ORIENTATIONS, Texture, energies, gabor_filters
from hdm.pom.discrimination.normality_fit import fit_texture


def wave(length: float, turn: float = 0.0, side: int = 64, amplitude: float = 1.0) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(float(side)), torch.arange(float(side)), indexing="ij")
    phase = 2 * math.pi / length * (x * math.cos(turn) + y * math.sin(turn))
    return amplitude * phase.sin()[None, None]


def noise(count: int, side: int = 32, seed: int = 0) -> torch.Tensor:
    return 0.3 * torch.randn(count, 1, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("octave", [0, 1])
@pytest.mark.parametrize("turn", [0, 2, 5])
def test_a_wave_answers_at_its_own_length_and_orientation(octave, turn):
    energy, _ = energies(wave(4.0 * 2**octave, math.pi * turn / ORIENTATIONS))
    inner = energy[0, :, 2:-2, 2:-2].mean((1, 2))
    assert inner.argmax().item() == octave * ORIENTATIONS + turn


def test_energy_is_the_amplitude_of_the_wave():
    """The window passes half of a wave: a product with its own cosine averages to one half."""
    ratio = [energies(wave(4.0, amplitude=a))[0][0, 0, 3, 3].item() for a in (0.5, 1.0)]
    assert ratio == pytest.approx([0.25, 0.5], rel=0.02)


def test_a_flat_image_has_no_energy_and_no_brightness_of_its_own():
    energy, brightness = energies(torch.full((1, 3, 32, 48), 0.7))
    assert energy.shape == (1, 24, 4, 6) and brightness.shape == (1, 3, 4, 6)
    assert energy.max() < 1e-4 and brightness.abs().max() < 1e-6
    assert gabor_filters().sum((1, 2, 3)).abs().max() < 1e-6


def test_distance_is_mahalanobis_at_its_place():
    """Where the whitening is a place's own: W'(x - mean), as written out."""
    generator = torch.Generator().manual_seed(0)
    whitening = torch.randn(16, 25, 25, generator=generator)
    mean = torch.randn(16, 25, generator=generator)
    judge = Texture(torch.ones(24), mean, whitening)
    image = noise(1)
    energy, brightness = energies(image)
    x = torch.cat([brightness, energy.log1p()], 1)[0, :, 1, 2]
    place = 1 * 4 + 2
    expected = (whitening[place].T @ (x - mean[place])).norm()
    assert judge.distance(image)[0, 0, 1, 2].item() == pytest.approx(expected.item(), rel=1e-4)


def test_good_places_are_about_the_root_of_the_dimension_away():
    judge = fit_texture(noise(400))
    assert judge.distance(noise(50, seed=1)).mean().item() == pytest.approx(5, rel=0.25)


def test_what_is_usual_at_one_place_is_strange_at_another():
    """A stripe in the left half of every image, and then in the right half of one."""
    good, odd = noise(60), noise(60, seed=1)
    stripes = wave(8.0, side=32)
    good[..., :16] += stripes[..., :16]
    odd[..., :16] += stripes[..., :16]
    odd[0, :, :, 16:] += stripes[0, :, :, 16:]
    found = fit_texture(good).distance(odd)
    assert found[0, 0, :, 3].min() > 2 * found[1:, 0, :, 3].median()


def test_more_light_on_the_whole_image_changes_nothing():
    judge, image = fit_texture(noise(60)), noise(1, seed=2)
    torch.testing.assert_close(judge.distance(image + 0.2), judge.distance(image), atol=1e-3,
                               rtol=1e-3)



@pytest.mark.parametrize("images", [torch.zeros(3, 1, 32, 32), noise(1)])
def test_images_that_never_vary_and_a_single_one_give_finite_figures(images):
    judge = fit_texture(images)
    assert judge.distance(noise(2)).isfinite().all()


def test_an_images_distances_do_not_depend_on_its_neighbours():
    judge, images = fit_texture(noise(20)), noise(70, seed=3)
    assert images.shape[-1] % CELL == 0
    torch.testing.assert_close(judge.distance(images)[66:67], judge.distance(images[66:67]))
