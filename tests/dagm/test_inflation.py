"""Closed-form facts about N(mu, (1 + tau) Sigma) for Gaussian data and the optimal denoiser.

A mode of variance v stays Gaussian through the chain, so its variance obeys
P_s = k^2 P_t + (1 + tau) sigma^2, with k and sigma from the posterior.
"""

import math

import pytest
import tiny
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from hdm.dagm.perturbed_reverse import octave_noise, perturbed_reverse
from hdm.diffusion.schedule import NoiseSchedule

COARSE, FINE = 1.0, 0.001


def chain_variance(schedule: NoiseSchedule, v: float, tau: float, *, steps: int, start: float,
                   base: str = "small") -> float:
    """Output variance of one mode, by the recursion on NoiseSchedule.posterior's coefficients."""
    times = schedule.respaced(steps, start)
    abar = schedule.scheduler.alphas_cumprod.double()
    variance = float(abar[times[0]] * v + 1 - abar[times[0]])
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for t, before in zip(times, [*times[1:], None], strict=True):
        a = float(abar[t])
        gain = a**0.5 * v / (a * v + 1 - a)
        output = {"small": None, "large": one, "exact": None}[base]
        k, sigma2 = schedule.posterior(one, gain * one, t, before, output)
        sigma2 = float(sigma2)
        if base == "exact" and before is not None:
            weight = float(schedule.posterior(0 * one, one, t, before)[0])
            sigma2 += weight**2 * v * (1 - a) / (a * v + 1 - a)
        variance = float(k) ** 2 * variance + (1 + tau) * sigma2
    return variance


def inflation(schedule, v, tau, **how):
    return chain_variance(schedule, v, tau, **how) / chain_variance(schedule, v, 0.0, **how)


@pytest.mark.parametrize("steps", [20, 50, 250])
@pytest.mark.parametrize("base", ["small", "large", "exact"])
@pytest.mark.parametrize("v", [COARSE, 0.1, FINE])
@pytest.mark.parametrize("tau", [0.1, 0.5, 4.0])
def test_whole_chain_ends_with_one_plus_tau_times_the_variance(steps, base, v, tau):
    ratio = inflation(NoiseSchedule(1000), v, tau, steps=steps, start=1.0, base=base)
    assert ratio == pytest.approx(1 + tau, rel=1e-6)


@pytest.mark.parametrize("steps", [20, 50, 250])
@pytest.mark.parametrize("v", [COARSE, FINE])
def test_exact_reverse_variance_gives_the_data_back(steps, v):
    """The recursion itself is right: without inflation and with the true Sigma, P_0 = v."""
    schedule = NoiseSchedule(1000)
    last = 1 - float(schedule.scheduler.alphas_cumprod[0])  # noise taken off by the last estimate
    got = chain_variance(schedule, v, 0.0, steps=steps, start=1.0, base="exact")
    assert got == pytest.approx(v * v / (v + last), rel=1e-3)


def test_few_steps_with_the_posterior_variance_lose_variance_and_with_beta_do_not():
    """Why Sigma matters beside tau: both ends bracket the data's variance."""
    schedule = NoiseSchedule(1000)
    for v in (COARSE, FINE):
        small = chain_variance(schedule, v, 0.0, steps=20, start=1.0, base="small")
        large = chain_variance(schedule, v, 0.0, steps=20, start=1.0, base="large")
        assert small <= v * 1.001 <= large * 1.01


def test_partial_chains_with_linear_betas_give_the_published_figures():
    schedule = NoiseSchedule(1000)
    schedule.scheduler = DDPMScheduler(1000, beta_schedule="linear", prediction_type="v_prediction",
                                       variance_type="fixed_small_log", clip_sample=False)
    coarse = {start: inflation(schedule, COARSE, 0.5, steps=1000, start=start)
              for start in (0.1, 0.2, 0.4, 0.6)}
    assert coarse == pytest.approx({0.1: 1.05, 0.2: 1.17, 0.4: 1.40, 0.6: 1.49}, abs=0.006)
    assert inflation(schedule, FINE, 0.5, steps=1000, start=0.1) == pytest.approx(1.50, abs=0.006)


def golden(v: float, tau: float, start: float) -> float:
    """1 + tau (1 - r): r is the share of the mode that x_t0 still knows, abar v / (abar v + noise).

    Continuous time, cosine schedule by its own formula; none of the code under test.
    """
    def f(share):
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2
    abar = f(start) / f(0)
    return 1 + tau * (1 - abar * v / (abar * v + 1 - abar))


@pytest.mark.parametrize("start", [0.05, 0.1, 0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("v", [COARSE, 0.05, FINE])
def test_partial_chains_of_the_cosine_schedule(v, start):
    ratio = inflation(NoiseSchedule(1000), v, 0.5, steps=1000, start=start, base="exact")
    assert ratio == pytest.approx(golden(v, 0.5, start), abs=0.008)


def test_start_selects_the_scale_and_tau_the_strength():
    """Cosine golden figures at tau 0.5: fine modes are inflated early, coarse ones late."""
    schedule = NoiseSchedule(1000)
    how = {"steps": 1000, "base": "exact"}
    fine = [inflation(schedule, FINE, 0.5, start=s, **how) for s in (0.1, 0.2, 0.4)]
    coarse = [inflation(schedule, COARSE, 0.5, start=s, **how) for s in (0.1, 0.2, 0.4, 0.6, 0.8)]
    assert fine == pytest.approx([1.483, 1.496, 1.499], abs=0.006)
    assert coarse == pytest.approx([1.014, 1.051, 1.177, 1.332, 1.455], abs=0.006)
    for start in (0.1, 0.4):
        gained = [inflation(schedule, COARSE, tau, start=start, **how) - 1 for tau in (0.5, 1, 2)]
        assert gained == pytest.approx([gained[0], 2 * gained[0], 4 * gained[0]], rel=1e-6)


SPECTRUM = torch.full((8, 8), FINE, dtype=torch.float64)
SPECTRUM[:4, :4] = COARSE


def sampled_variances(tau: float, *, steps: int, start: float, variance_output=None,
                      count: int = 1000, structured: bool = False):
    """Variance of the coarse and of the fine modes after `perturbed_reverse`."""
    prior = tiny.gaussian_prior(SPECTRUM, variance_output=variance_output)
    generator = torch.Generator().manual_seed(11)
    draw = torch.randn(count, 1, 8, 8, generator=generator, dtype=torch.float64)
    normals = tiny.from_modes(SPECTRUM.sqrt() * draw).float()
    out = perturbed_reverse(prior, normals, torch.full((count,), tau),
                            start=start, steps=steps, generator=generator, structured=structured)
    modes = tiny.to_modes(out).squeeze(1)
    coarse = SPECTRUM == COARSE
    return [modes[:, part].pow(2).mean().item() for part in (coarse, ~coarse)]


def five_sigma(modes: int, count: int = 1000) -> float:
    """Relative sampling error of a variance from `modes` x `count` Gaussian values."""
    return 5 * math.sqrt(2 / (modes * count))


@pytest.mark.parametrize(("steps", "start", "tau"), [
    (20, 1.0, 0.0), (20, 1.0, 0.5), (50, 1.0, 0.5), (250, 1.0, 0.5), (50, 0.1, 0.5),
    (50, 0.4, 0.5), (20, 0.6, 2.0)])
def test_sampler_obeys_the_recursion(steps, start, tau):
    schedule = NoiseSchedule(1000, learned_variance=False)
    found = sampled_variances(tau, steps=steps, start=start)
    for value, v, modes in zip(found, (COARSE, FINE), (16, 48), strict=True):
        expected = chain_variance(schedule, v, tau, steps=steps, start=start)
        assert value == pytest.approx(expected, rel=five_sigma(modes))


@pytest.mark.parametrize("output", [-1.0, 1.0])
def test_sampler_obeys_the_recursion_with_a_learned_variance(output):
    found = sampled_variances(0.5, steps=20, start=1.0, variance_output=output)
    for value, v, modes in zip(found, (COARSE, FINE), (16, 48), strict=True):
        expected = chain_variance(NoiseSchedule(1000), v, 0.5, steps=20, start=1.0,
                                  base="large" if output > 0 else "small")
        assert value == pytest.approx(expected, rel=five_sigma(modes))


def test_octave_noise_has_unit_variance_at_every_pixel():
    for size in ((32, 32), (24, 40), (33, 17)):
        noise = octave_noise(torch.zeros(3000, 1, *size), torch.Generator().manual_seed(0))
        assert noise.shape == (3000, 1, *size)
        deviation = noise.var(0) - 1
        assert deviation.abs().max() < 6.5 * math.sqrt(2 / 3000)
        assert abs(noise.mean()) < 0.05


def test_octave_noise_is_smoother_than_grain():
    noise = octave_noise(torch.zeros(500, 1, 32, 32), torch.Generator().manual_seed(0))
    neighbours = (noise[..., 1:] * noise[..., :-1]).mean().item()
    # Per octave of side s, (s - 1) / s of the horizontal neighbours share their value.
    powers = [0.8 ** (2 * o) for o in range(5)]
    shares = [1 - 1 / 2 ** (4 - o) for o in range(5)]
    expected = sum(p * s for p, s in zip(powers, shares, strict=True)) / sum(powers)
    assert neighbours == pytest.approx(expected, abs=0.06)


def test_structured_inflation_moves_power_to_the_coarse_modes():
    plain = sampled_variances(0.5, steps=20, start=1.0)
    blobs = sampled_variances(0.5, steps=20, start=1.0, structured=True)
    assert blobs[0] / plain[0] > 1.1 and blobs[1] / plain[1] < 0.9
