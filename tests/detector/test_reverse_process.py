"""The discriminative process: identities of its states, and its reverse with an oracle."""

import pytest
import torch

from hdm.detector.discriminator import Judgement
from hdm.detector.reverse_process import answer, reverse, state, transparencies

GENERATOR = torch.Generator().manual_seed(0)
NORMAL, ANOMALY, NOISE = (torch.randn(3, 2, 16, 16, generator=GENERATOR) for _ in range(3))
MASK = torch.zeros(3, 1, 16, 16)
MASK[0, :, 2:7, 3:9], MASK[1, :, 10:, :5] = 1, 1  # the third image is good
SEEN = NORMAL + MASK * (ANOMALY - NORMAL)
NO_NOISE = torch.zeros(3)
FEATURES = torch.zeros(3, 5, 4, 4)


@pytest.mark.parametrize("steps", [1, 2, 3, 8])
def test_transparencies_fall_evenly_from_one(steps):
    b = transparencies(steps)
    assert len(b) == steps and b[0] == 1
    assert [b[k] - b[k + 1] for k in range(steps - 1)] == pytest.approx([1 / steps] * (steps - 1))
    assert b[-1] == pytest.approx(1 / steps)


def test_state_at_one_is_what_is_seen_and_at_zero_the_normal_image():
    torch.testing.assert_close(state(NORMAL, SEEN, torch.ones(3), NO_NOISE, NOISE), SEEN)
    torch.testing.assert_close(state(NORMAL, SEEN, torch.zeros(3), NO_NOISE, NOISE), NORMAL)


def test_state_is_the_formula_with_each_images_own_b_and_sigma():
    b, sigma = torch.tensor([0.2, 0.5, 0.9]), torch.tensor([0.0, 0.1, 0.3])
    z = state(NORMAL, SEEN, b, sigma, NOISE)
    for i in range(3):
        expected = NORMAL[i] + b[i] * MASK[i] * (ANOMALY[i] - NORMAL[i]) + sigma[i] * NOISE[i]
        torch.testing.assert_close(z[i], expected)


def test_whole_mask_is_ordinary_mixing():
    z = state(NORMAL, ANOMALY, torch.full((3,), 0.3), NO_NOISE, NOISE)
    torch.testing.assert_close(z, 0.7 * NORMAL + 0.3 * ANOMALY)


class Oracle:
    """Knows the normal image and the mask, and remembers what it was shown."""

    def __init__(self, certainty=30.0):
        self.logits, self.seen = certainty * (2 * MASK - 1), []

    def __call__(self, z, appearance, previous, level, *rest):
        self.seen.append((z, appearance, previous, level))
        return Judgement(NORMAL, self.logits, FEATURES + len(self.seen))


@pytest.mark.parametrize("steps", [1, 2, 4, 10])
def test_reverse_with_an_oracle_recovers_image_and_mask(steps):
    oracle = Oracle()
    estimate, logits, features = reverse(oracle, SEEN, lambda z: None, steps)
    assert torch.equal(estimate, NORMAL)
    assert torch.equal(features, FEATURES + 1), "of the first step, which saw the image"
    torch.testing.assert_close(logits, oracle.logits)
    assert torch.equal((logits > 0).float(), MASK)


@pytest.mark.parametrize("steps", [1, 2, 4, 10])
def test_oracle_is_led_through_the_states_of_the_forward_process(steps):
    oracle = Oracle()
    reverse(oracle, SEEN, lambda z: None, steps)
    assert len(oracle.seen) == steps
    for b, (z, _, previous, level) in zip(transparencies(steps), oracle.seen, strict=True):
        assert level.tolist() == pytest.approx([b] * 3)
        torch.testing.assert_close(z, state(NORMAL, SEEN, level, NO_NOISE, NOISE),
                                   atol=1e-5, rtol=1e-5)
        assert previous.any() == (b < 1), "the first step has no mask of an earlier one"
        if b < 1:
            torch.testing.assert_close(previous, MASK)


def test_nothing_found_leaves_the_image_alone():
    class Blind(Oracle):
        def __call__(self, z, *rest):
            self.seen.append(z)
            return Judgement(z + 1, torch.full_like(MASK, -100.0), FEATURES)

    blind = Blind()
    reverse(blind, SEEN, lambda z: None, 3)
    assert all(torch.equal(z, SEEN) for z in blind.seen)


def test_prior_is_asked_at_every_state():
    oracle, asked = Oracle(), []
    reverse(oracle, SEEN, lambda z: asked.append(z) or z + 1, 3)
    assert len(asked) == 3
    for (z, appearance, *_), question in zip(oracle.seen, asked, strict=True):
        assert question is z and torch.equal(appearance, z + 1)


def test_answer_is_the_mean_of_the_steps():
    class Rising(Oracle):
        def __call__(self, z, *rest):
            self.seen.append(z)
            return Judgement(z, torch.full_like(MASK, float(len(self.seen))), FEATURES)

    assert torch.equal(reverse(Rising(), SEEN, lambda z: None, 3).logits,
                       torch.full_like(MASK, 2.0))


def test_mirrorings_are_turned_back_and_averaged():
    def network(x, *rest):
        """Sees the image as it is, and odds that rise to the right by 1 and downwards by 10."""
        logits = torch.arange(16.0).view(1, 1, 1, 16) + 10 * torch.arange(16.0).view(1, 1, 16, 1)
        return Judgement(x + 1, logits.expand(3, 1, 16, 16), x[:, :, :4, :4])

    normal, logits, context = answer(network, SEEN, lambda z: None, 1, mirrored=True)
    torch.testing.assert_close(normal, SEEN + 1)
    torch.testing.assert_close(logits, torch.full((3, 1, 16, 16), 7.5 + 75))
    assert torch.equal(context, SEEN[:, :, :4, :4])
