"""The noise schedule against closed forms and against diffusers' own steps."""

import math
from itertools import pairwise

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from hdm.diffusion.angles import (
    clean_and_noise,
    noised,
    reverse_moments,
    signal_and_noise,
    velocity,
)

LEVELS = (0.02, 0.1, 0.34, 0.5, 0.66, 0.9, 0.98)
GENERATOR = torch.Generator().manual_seed(3)
CLEAN, NOISE, STATE, VELOCITY = (torch.randn(5, 8, generator=GENERATOR) for _ in range(4))


def betas(levels):
    """Those that give diffusers the same alpha_bar = cos(t pi/2)^2 at its timesteps 0, 1, ..."""
    bars = [1.0, *(math.cos(level * math.pi / 2) ** 2 for level in levels)]
    return [1 - after / before for before, after in pairwise(bars)]


def scheduler(kind):
    made = kind(len(LEVELS), trained_betas=betas(LEVELS), prediction_type="v_prediction",
                clip_sample=False)
    made.set_timesteps(len(LEVELS))
    return made


def test_an_eighth_of_a_turn_is_half_of_each():
    signal, spread = signal_and_noise(0.5)
    assert signal.item() == pytest.approx(0.5**0.5) and spread.item() == pytest.approx(0.5**0.5)
    signal, spread = signal_and_noise(torch.tensor([0.0, 1 / 3, 1.0]))
    assert signal.tolist() == pytest.approx([1, 3**0.5 / 2, 0], abs=1e-6)
    assert spread.tolist() == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("level", [0.0, *LEVELS, 1.0])
def test_state_and_velocity_give_clean_and_noise_back(level):
    state, v = noised(CLEAN, NOISE, level), velocity(CLEAN, NOISE, level)
    clean, noise = clean_and_noise(state, v, level)
    torch.testing.assert_close(clean, CLEAN, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(noise, NOISE, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(noised(clean, noise, level), state, atol=1e-6, rtol=1e-5)


def test_each_row_has_its_own_level():
    levels = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9])[:, None]
    for step in (noised, velocity):
        together = step(CLEAN, NOISE, levels)
        for row, level in enumerate(levels[:, 0].tolist()):
            torch.testing.assert_close(together[row], step(CLEAN[row], NOISE[row], level))


def test_the_velocity_is_the_derivative_of_the_state_by_the_angle():
    step = 1e-3
    slope = (noised(CLEAN, NOISE, 0.4 + step) - noised(CLEAN, NOISE, 0.4 - step)) / (
        math.pi * step)
    torch.testing.assert_close(velocity(CLEAN, NOISE, 0.4), slope, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("place", range(1, len(LEVELS)))
def test_reverse_moments_are_the_posterior_of_ddpm(place):
    clean, noise = clean_and_noise(STATE, VELOCITY, LEVELS[place])
    mean, variance = reverse_moments(clean, noise, LEVELS[place], LEVELS[place - 1])
    generators = [torch.Generator().manual_seed(place) for _ in "ab"]
    theirs = scheduler(DDPMScheduler).step(VELOCITY, place, STATE, generator=generators[0])
    drawn = torch.randn(STATE.shape, generator=generators[1])
    torch.testing.assert_close(mean + variance.sqrt() * drawn, theirs.prev_sample, atol=1e-4,
                               rtol=1e-4)


@pytest.mark.parametrize("place", range(1, len(LEVELS)))
def test_reverse_moments_are_a_step_of_ddim_with_eta_one(place):
    clean, noise = clean_and_noise(STATE, VELOCITY, LEVELS[place])
    mean, variance = reverse_moments(clean, noise, LEVELS[place], LEVELS[place - 1])
    theirs = scheduler(DDIMScheduler).step(VELOCITY, place, STATE, eta=1.0, variance_noise=NOISE)
    torch.testing.assert_close(mean + variance.sqrt() * NOISE, theirs.prev_sample, atol=1e-4,
                               rtol=1e-4)
    torch.testing.assert_close(clean, theirs.pred_original_sample, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("place", range(1, len(LEVELS)))
def test_estimates_noised_anew_are_a_deterministic_step_of_ddim(place):
    clean, noise = clean_and_noise(STATE, VELOCITY, LEVELS[place])
    theirs = scheduler(DDIMScheduler).step(VELOCITY, place, STATE)
    torch.testing.assert_close(noised(clean, noise, LEVELS[place - 1]), theirs.prev_sample,
                               atol=1e-4, rtol=1e-4)


def test_the_last_reverse_step_is_the_estimate_itself():
    mean, variance = reverse_moments(CLEAN, NOISE, 0.5, 0.0)
    torch.testing.assert_close(mean, CLEAN)
    assert variance == 0
