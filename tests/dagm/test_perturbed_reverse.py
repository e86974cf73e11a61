"""What the perturbed reverse process leaves alone, and that it repeats itself."""

from itertools import pairwise

import pytest
import tiny
import torch
from torch.nn.functional import avg_pool2d

from hdm.dagm.perturbed_reverse import perturbed_reverse
from hdm.diffusion.schedule import NoiseSchedule


@pytest.fixture(scope="module")
def prior():
    return tiny.prior()


NORMALS = tiny.textures(3)


def reverse(prior, tau=1.0, seed=0, **how):
    how = {"start": 0.5, "steps": 10, **how}
    return perturbed_reverse(prior, NORMALS, torch.full((3,), tau),
                             generator=torch.Generator().manual_seed(seed), **how)


class Certain:
    """A prior that knows one image alone; far outside what pixels can be where `wild`."""

    schedule = NoiseSchedule(1000)
    image = tiny.textures(1, seed=5)[0].clamp(-2.5, 2.5)

    def __init__(self, wild=1.0):
        self.wild = wild

    def denoise(self, x, t):
        return self.wild * self.image.expand_as(x), None


class Blind:
    """A prior that takes what it sees for the image."""

    schedule = NoiseSchedule(1000)

    def denoise(self, x, t):
        return x / self.schedule.alpha_bar(t).sqrt(), None


@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("start", [0.0, 0.3, 1.0])
def test_images_are_drawn_whole_as_the_prior_has_them(structured, start):
    """Nothing of the good image and no noise is left, however much was inflated."""
    out = reverse(Certain(), tau=30.0, structured=structured, start=start)
    torch.testing.assert_close(out, Certain.image.expand_as(NORMALS))


def test_values_stay_within_what_pixels_can_be():
    out = reverse(Certain(wild=1e6))
    torch.testing.assert_close(out, 3 * Certain.image.expand_as(NORMALS).sign())


@pytest.mark.parametrize("structured", [False, True])
def test_the_later_a_chain_starts_the_more_of_the_image_it_keeps(structured):
    kept = [torch.corrcoef(torch.stack([out.flatten(), NORMALS.flatten()]))[0, 1].item()
            for out in (reverse(Blind(), tau=0.0, structured=structured, start=start)
                        for start in (0.0, 0.2, 0.6))]
    assert kept[0] > 0.99 and kept[0] > kept[1] + 0.1 > kept[2] + 0.2


def test_no_inflation_is_the_plain_chain(prior):
    """Against a second implementation that knows of no tau."""
    schedule, generator = prior.schedule, torch.Generator().manual_seed(4)

    def normal():
        return torch.randn(NORMALS.shape, generator=generator)

    times = schedule.respaced(10, 0.5)
    abar = schedule.scheduler.alphas_cumprod
    x = abar[times[0]].sqrt() * NORMALS + (1 - abar[times[0]]).sqrt() * normal()
    for t, before in pairwise(times):
        clean, variance_output = prior.denoise(x, torch.full((3,), t))
        alpha = abar[t] / abar[before]
        mean = (abar[before].sqrt() * (1 - alpha) * clean.clamp(-3, 3)
                + alpha.sqrt() * (1 - abar[before]) * x) / (1 - abar[t])
        low = ((1 - alpha) * (1 - abar[before]) / (1 - abar[t])).log()
        share = (variance_output.clamp(-1, 1) + 1) / 2
        x = mean + (0.5 * (share * (1 - alpha).log() + (1 - share) * low)).exp() * normal()
        normal()  # the inflated share, which weighs nothing here
    expected = prior.denoise(x, torch.zeros(3).long())[0].clamp(-3, 3)
    out = reverse(prior, tau=0.0, seed=4)
    torch.testing.assert_close(out, expected, atol=2e-4, rtol=1e-3)


def test_same_generator_same_result(prior):
    assert torch.equal(reverse(prior), reverse(prior))
    assert not torch.equal(reverse(prior), reverse(prior, seed=1))


def test_inflation_is_each_images_own(prior):
    tau = torch.tensor([0.0, 1.0, 5.0])
    mixed = perturbed_reverse(prior, NORMALS, tau, start=0.5, steps=10,
                              generator=torch.Generator().manual_seed(0))
    for index, value in enumerate(tau.tolist()):
        torch.testing.assert_close(mixed[index], reverse(prior, tau=value)[index],
                                   atol=1e-5, rtol=1e-5)


def test_stronger_inflation_changes_more(prior):
    changes = [(reverse(prior, tau=tau) - NORMALS).abs().mean().item() for tau in (0.0, 4.0, 40.0)]
    assert changes == sorted(changes)


def test_a_chain_that_is_calm_throughout_is_the_plain_one(prior):
    """Inflated until the level `inflation_end`: above the start, never; from 0 on, always."""
    plain = reverse(prior, tau=0.0)
    assert torch.equal(reverse(prior, tau=5.0, inflation_end=1.0), plain)
    some = reverse(prior, tau=5.0, inflation_end=0.3)
    all_of_it = reverse(prior, tau=5.0, inflation_end=0.0)
    grain = [(x - avg_pool2d(x, 3, 1, 1)).std() for x in (some, all_of_it)]
    assert not torch.equal(some, plain) and grain[0] < grain[1]


class Blurry:
    """A prior that knows what is coarse and cannot tell detail from noise."""

    schedule = NoiseSchedule(1000)

    def denoise(self, x, t):
        return blur(x) / self.schedule.alpha_bar(t).sqrt(), None


def blur(images):
    return avg_pool2d(images, 5, 1, 2, count_include_pad=False)


def test_a_chain_that_ends_early_keeps_the_good_images_finest_detail():
    def likeness(images):
        detail = [(x - blur(x)).flatten() for x in (images, NORMALS)]
        return torch.corrcoef(torch.stack(detail))[0, 1].item()

    whole, early, torn = (reverse(Blurry(), **how) for how in (
        {"tau": 0.0}, {"tau": 0.0, "end": 0.2}, {"tau": 4.0, "end": 0.2}))
    assert likeness(whole) < 0.5 < 0.9 < likeness(early)
    changes = [blur(x - NORMALS).abs().mean().item() for x in (early, torn)]
    assert 0 < changes[0] < changes[1]
