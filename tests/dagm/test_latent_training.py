"""Training the latent prior: what a batch is, what is learned, and who is told what."""

from dataclasses import replace

import pytest
import tiny
import torch

from hdm.dagm.latent_training import (
    BETTER,
    GROUPS,
    HELD_OUT_LEVELS,
    RANGE,
    READ,
    draw_batch,
    fit,
    told_what_helps,
)
from hdm.dagm.latent_vectors import LatentVectors
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import INVERSION, RESIDUAL_LEVELS
from hdm.diffusion.latent_space import LatentSpace, positions
from hdm.diffusion.place_denoiser import NOTHING, Told
from hdm.model_settings import PlaceNetwork, Training

SPACE = LatentSpace(torch.zeros(8), torch.eye(8))
SIDE, WIDE = 6, 20
"""Of maps; the mean over few places would tell of each of them."""


class Plain:
    """An encoder whose features are the image."""

    channels, device = 8, torch.device("cpu")

    def encode(self, images):
        return images


def mixture(number: int) -> torch.Tensor:
    """Latents (1, 8, 6, 6) of two kinds of place, anywhere on the part."""
    generator = torch.Generator().manual_seed(number)
    kind = 2.0 * torch.randint(0, 2, (1, 1, SIDE, SIDE), generator=generator) - 1
    return kind + 0.2 * torch.randn(1, 8, SIDE, SIDE, generator=generator)


def ordered(number: int) -> torch.Tensor:
    """Latents (1, 8, 20, 20) that are of one kind above and of the other below."""
    generator = torch.Generator().manual_seed(number)
    kind = torch.where(torch.arange(WIDE) < WIDE / 2, 1.0, -1.0)[:, None]
    return 0.6 * kind + 0.8 * torch.randn(1, 8, WIDE, WIDE, generator=generator)


def shaded(number: int) -> torch.Tensor:
    """Latents (1, 8, 20, 20) of which an image has one kind or the other."""
    generator = torch.Generator().manual_seed(number)
    kind = 2.0 * torch.randint(0, 2, (1, 1, 1, 1), generator=generator) - 1
    return 0.6 * kind + 0.8 * torch.randn(1, 8, WIDE, WIDE, generator=generator)


def alike(number: int) -> torch.Tensor:
    """Latents (1, 8, 20, 20) that are anything anywhere."""
    return torch.randn(1, 8, WIDE, WIDE, generator=torch.Generator().manual_seed(number))


def vectors(latents) -> LatentVectors:
    drawn = torch.cat([latents(number) for number in range(100)])
    places = positions(*drawn.shape[-2:])
    return LatentVectors(drawn.movedim(1, -1).flatten(0, 2).half(), places.repeat(100, 1),
                         torch.arange(100).repeat_interleave(len(places)), drawn.mean((2, 3)))


def trained(folder, latents=mixture, seed=0, steps=3, report=None):
    settings = tiny.dagm_settings().model_copy(update={
        "network": PlaceNetwork(width=32, blocks=1),
        "training": Training(steps=steps, batch=512, learning_rate=0.005)})
    (folder / "c").unlink(missing_ok=True)  # it would be gone on with
    return fit(vectors(latents), SPACE, Plain(), settings, Backend(tiny.COMPUTE), seed=seed,
               checkpoint=folder / "c", report=report)


def batch(size=512, seed=0):
    return draw_batch(vectors(mixture), size, torch.Generator().manual_seed(seed))


def test_a_batch_is_groups_of_one_level_each():
    drawn = batch()
    assert drawn.clean.shape == drawn.noise.shape == (GROUPS, 512 // GROUPS, 8)
    assert drawn.place.shape == (GROUPS, 512 // GROUPS, 2)
    assert drawn.level.shape == (GROUPS,) and drawn.told.shape == (GROUPS, 2)
    assert drawn.clean.dtype == torch.float32
    assert batch(size=2).clean.shape == (GROUPS, 1, 8), "few are no error"


def test_half_of_the_levels_are_where_evidence_is_read_and_the_others_anywhere():
    assert set(READ) == {*RESIDUAL_LEVELS, *INVERSION[:-1]}
    levels = torch.stack([batch(seed=seed).level for seed in range(200)])
    read = torch.isclose(levels[..., None], torch.tensor(READ)).any(-1)
    assert read.sum(1).float().mean().item() == pytest.approx(GROUPS / 2, abs=0.2)
    assert {round(level, 4) for level in levels[read].tolist()} == set(READ)
    anywhere = levels[~read]
    assert anywhere.min() >= RANGE[0] and anywhere.max() <= RANGE[1]
    assert anywhere.min() < 0.06 and anywhere.max() > 0.8


def test_either_half_of_a_batch_has_both_kinds_of_levels():
    """Training gives every second group to another worker."""
    for side in (0, 1):
        levels = torch.stack([batch(seed=seed).level[side::2] for seed in range(50)])
        read = torch.isclose(levels[..., None], torch.tensor(READ)).any(-1)
        assert read.float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_place_and_mean_are_told_half_of_the_time_each_and_are_the_latents_own():
    told = torch.cat([batch(seed=seed).told for seed in range(100)])
    assert set(told.flatten().tolist()) == {0.0, 1.0}
    assert told.mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    assert told.T.corrcoef()[0, 1].abs() < 0.1, "one with and without the other"
    whole = vectors(mixture)
    numbered = replace(whole, latents=torch.arange(3600.0).half()[:, None])
    drawn = draw_batch(numbered, 512, torch.Generator().manual_seed(0))
    rows = (numbered.latents.float() == drawn.clean.flatten()).int().argmax(0)
    exact = drawn.clean.flatten() < 2048  # larger whole numbers are not all there in half precision
    assert torch.equal(drawn.place.flatten(0, 1)[exact], whole.places[rows[exact]])
    assert torch.equal(drawn.mean.flatten(0, 1)[exact], whole.means[rows[exact] // SIDE**2])


def test_training_follows_from_the_seed(tmp_path):
    told = []
    one, two, other = (trained(tmp_path, seed=seed, report=lambda *entry: told.append(entry))
                       for seed in (0, 0, 1))
    state = one.network.state_dict()
    assert all(torch.equal(v, two.network.state_dict()[k]) for k, v in state.items())
    assert not all(torch.equal(v, other.network.state_dict()[k]) for k, v in state.items())
    assert [step for step, _ in told] == [3, 3, 3] and set(told[0][1]) == {"loss"}
    assert one.told == NOTHING and not any(p.requires_grad for p in one.network.parameters())


def test_what_training_learned_is_closer_to_each_latent_than_no_training(tmp_path):
    told = []
    prior = trained(tmp_path, steps=200, report=lambda *entry: told.append(entry[1]["loss"]))
    assert told[-1] < 0.6 * told[0]
    fresh = mixture(999).flatten(2)[0].T
    noise = torch.randn(fresh.shape, generator=torch.Generator().manual_seed(0))
    learned = prior.residual(fresh, noise, 0.5).mean()
    # The best estimate of one kind is its middle, 0.2 away; without knowing kinds it is 1.04 / 2.
    assert learned < 0.1 < trained(tmp_path).residual(fresh, noise, 0.5).mean()
    strange = fresh.clone()
    strange[:, ::2] *= -1
    assert prior.residual(strange, noise, 0.34).min() > \
        prior.residual(fresh, noise, 0.34).max()


@pytest.mark.parametrize(("latents", "expected"), [
    (ordered, Told(place=True, image=False)), (shaded, Told(place=False, image=True)),
    (lambda number: (ordered(number) + shaded(number + 5000)) / 2**0.5, Told(True, True)),
    (alike, NOTHING)])
def test_what_says_something_is_told(tmp_path, latents, expected):
    prior = trained(tmp_path, latents, steps=150)
    chosen, quality = told_what_helps(prior, lambda number: latents(1000 + number), 20)
    assert chosen.told == expected and chosen.network is prior.network
    ratios = {name: f"{name}_ratio" for name in Told._fields}
    for name, told in expected._asdict().items():
        assert (quality[ratios[name]] <= BETTER) == told
    explained = [f"explained_{level:g}" for level in HELD_OUT_LEVELS]
    assert set(quality) == {*ratios.values(), *explained}
    shares = [quality[name] for name in explained]
    assert shares == sorted(shares, reverse=True) and 0 < shares[-1] < shares[0] < 1
