"""The noise schedule against closed forms and against diffusers' own reverse step."""

import math
from itertools import pairwise

import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from hdm.diffusion.schedule import NoiseSchedule


def cosine(t: int, timesteps: int = 1000) -> float:
    """abar by the definition of Nichol & Dhariwal (2021), eq. 17: after step t of `timesteps`."""
    def f(share: float) -> float:
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2
    product = 1.0
    for i in range(t + 1):
        product *= 1 - min(0.999, 1 - f((i + 1) / timesteps) / f(i / timesteps))
    return product


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(6, 2, 4, 4, generator=generator) for _ in range(3)]


@pytest.mark.parametrize("t", [0, 1, 100, 500, 900, 999])
def test_alpha_bar_is_the_cosine_schedule(t):
    schedule = NoiseSchedule(1000)
    assert schedule.alpha_bar(torch.tensor([t])).item() == pytest.approx(cosine(t), rel=2e-4)


def test_levels_and_timesteps_are_inverse():
    schedule = NoiseSchedule(1000)
    assert [schedule.timestep(x) for x in (-1, 0, 0.5, 1, 2)] == [0, 0, 500, 999, 999]
    t = torch.arange(0, 1000, 37)
    assert [schedule.timestep(x) for x in schedule.level(t).tolist()] == t.tolist()
    assert schedule.level(torch.tensor([0, 999])).tolist() == [0, 1]


def test_one_timestep_is_a_legal_schedule():
    schedule = NoiseSchedule(1)
    assert schedule.respaced(25, 0.8) == [0]
    assert schedule.level(torch.tensor([0])).tolist() == [0]


def test_add_noise_is_the_forward_process(images):
    clean, noise, _ = images
    t = torch.tensor([0, 10, 200, 500, 800, 999])
    abar = torch.tensor([cosine(int(i)) for i in t])[:, None, None, None]
    expected = abar.sqrt() * clean + (1 - abar).sqrt() * noise
    torch.testing.assert_close(NoiseSchedule(1000).add_noise(clean, noise, t), expected,
                               atol=2e-4, rtol=0)


def test_velocity_gives_the_image_back(images):
    clean, noise, _ = images
    schedule = NoiseSchedule(1000)
    for t in (0, 1, 250, 700, 999):
        steps = torch.full((6,), t)
        x_t = schedule.add_noise(clean, noise, steps)
        v = schedule.velocity(clean, noise, steps)
        torch.testing.assert_close(schedule.clean_from_velocity(x_t, v, steps), clean,
                                   atol=2e-6, rtol=1e-5)
        abar = schedule.alpha_bar(steps)
        torch.testing.assert_close((1 - abar).sqrt() * x_t + abar.sqrt() * v, noise,
                                   atol=2e-6, rtol=1e-5)


def test_snr_weight_is_min_snr_over_snr_plus_one():
    schedule = NoiseSchedule(1000)
    t = torch.tensor([0, 300, 700, 999])
    abar = schedule.alpha_bar(t)
    snr = abar / (1 - abar)
    weight = schedule.snr_weight(t)
    assert weight.shape == (4, 1, 1, 1)
    torch.testing.assert_close(weight, torch.minimum(snr, torch.tensor(5.0)) / (snr + 1))
    torch.testing.assert_close(schedule.snr_weight(t, limit=1e9), abar)  # uncapped: snr / (snr + 1)


@pytest.mark.parametrize("steps", [1, 2, 20, 25, 50, 250, 1000])
@pytest.mark.parametrize("start", [0.0, 0.05, 0.33, 0.8, 1.0])
def test_respaced_chain_starts_where_asked_and_ends_at_zero(steps, start):
    schedule = NoiseSchedule(1000)
    times = schedule.respaced(steps, start)
    assert times[0] == schedule.timestep(start) and times[-1] == 0
    assert times == sorted(set(times), reverse=True)
    assert abs(len(times) - steps * start) <= 2
    gaps = [a - b for a, b in pairwise(times)]
    assert not gaps or max(gaps) <= math.ceil(1000 / steps)


def test_whole_chain_is_every_timestep():
    assert NoiseSchedule(50).respaced(50, 1.0) == list(range(49, -1, -1))


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("steps", [1000, 50, 20, 7])
def test_posterior_is_the_step_of_diffusers(images, learned, steps):
    """Same mean, same variance, same noise: the same sample, for full and respaced chains."""
    x_t, velocity, variance = images
    variance = variance.clamp(-1, 1) if learned else None
    schedule = NoiseSchedule(1000, learned_variance=learned)
    times = schedule.respaced(steps, 1.0)
    theirs = DDPMScheduler(1000, beta_schedule="squaredcos_cap_v2", clip_sample=False,
                           prediction_type="v_prediction",
                           variance_type="learned_range" if learned else "fixed_small_log")
    theirs.set_timesteps(timesteps=times)
    picks = range(0, len(times), max(1, len(times) // 12))
    for place in [*picks, len(times) - 1]:
        t, before = times[place], (*times, None)[place + 1]
        out = velocity if variance is None else torch.cat([velocity, variance], 1)
        expected = theirs.step(out, t, x_t, generator=torch.Generator().manual_seed(place))
        noise = torch.randn(x_t.shape, generator=torch.Generator().manual_seed(place))
        clean = schedule.clean_from_velocity(x_t, velocity, torch.full((6,), t))
        mean, var = schedule.posterior(x_t, clean, t, before, variance)
        torch.testing.assert_close(mean + var.sqrt() * noise, expected.prev_sample,
                                   atol=3e-5, rtol=3e-4)


def test_last_step_is_the_estimate_itself(images):
    x, clean, variance = images
    mean, var = NoiseSchedule(1000).posterior(x, clean, 0, None, variance)
    assert torch.equal(mean, clean) and var == 0


def test_variance_output_interpolates_in_the_logarithm(images):
    x, clean, _ = images
    schedule = NoiseSchedule(1000)
    t, before = 500, 480
    alpha = cosine(t) / cosine(before)
    small = (1 - alpha) * (1 - cosine(before)) / (1 - cosine(t))
    for output, expected in ((-1, small), (1, 1 - alpha), (0, math.sqrt(small * (1 - alpha))),
                             (-7, small), (7, 1 - alpha)):
        _, var = schedule.posterior(x, clean, t, before, torch.full_like(x, output))
        torch.testing.assert_close(var, torch.full_like(x, expected), rtol=3e-3, atol=0)
    assert schedule.posterior(x, clean, t, before)[1].item() == pytest.approx(small, rel=3e-3)
