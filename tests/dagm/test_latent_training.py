"""Training the latent prior: what a batch is, what is learned, and who is told the place."""

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
    with_place,
)
from hdm.dagm.latent_vectors import LatentVectors
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import INVERSION, RESIDUAL_LEVELS
from hdm.diffusion.latent_space import LatentSpace, positions
from hdm.model_settings import PlaceNetwork, Training

SPACE = LatentSpace(torch.zeros(8), torch.eye(8))
SIDE = 6


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
    """Latents (1, 8, 6, 6) that are of one kind above and of the other below."""
    generator = torch.Generator().manual_seed(number)
    kind = torch.where(torch.arange(SIDE) < SIDE / 2, 1.0, -1.0)[:, None]
    return 0.6 * kind + 0.8 * torch.randn(1, 8, SIDE, SIDE, generator=generator)


def alike(number: int) -> torch.Tensor:
    """Latents (1, 8, 6, 6) that are anything anywhere."""
    return torch.randn(1, 8, SIDE, SIDE, generator=torch.Generator().manual_seed(number))


def vectors(latents) -> LatentVectors:
    drawn = torch.cat([latents(number) for number in range(100)])
    return LatentVectors(drawn.movedim(1, -1).flatten(0, 2).half(),
                         positions(SIDE, SIDE).repeat(100, 1))


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
    assert drawn.level.shape == drawn.told.shape == (GROUPS,)
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


def test_the_place_is_told_half_of_the_time_and_is_the_latents_own():
    told = torch.cat([batch(seed=seed).told for seed in range(100)])
    assert set(told.tolist()) == {0.0, 1.0} and told.mean().item() == pytest.approx(0.5, abs=0.05)
    places = positions(SIDE, SIDE).repeat(100, 1)
    numbered = LatentVectors(torch.arange(3600.0).half()[:, None], places)
    drawn = draw_batch(numbered, 512, torch.Generator().manual_seed(0))
    rows = (numbered.latents.float() == drawn.clean.flatten()).int().argmax(0)
    exact = drawn.clean.flatten() < 2048  # larger whole numbers are not all there in half precision
    assert torch.equal(drawn.place.flatten(0, 1)[exact], places[rows[exact]])


def test_training_follows_from_the_seed(tmp_path):
    told = []
    one, two, other = (trained(tmp_path, seed=seed, report=lambda *entry: told.append(entry))
                       for seed in (0, 0, 1))
    state = one.network.state_dict()
    assert all(torch.equal(v, two.network.state_dict()[k]) for k, v in state.items())
    assert not all(torch.equal(v, other.network.state_dict()[k]) for k, v in state.items())
    assert [step for step, _ in told] == [3, 3, 3] and set(told[0][1]) == {"loss"}
    assert not one.placed and not any(p.requires_grad for p in one.network.parameters())


def test_what_training_learned_is_closer_to_each_latent_than_no_training(tmp_path):
    told = []
    prior = trained(tmp_path, steps=200, report=lambda *entry: told.append(entry[1]["loss"]))
    assert told[-1] < 0.6 * told[0]
    fresh = mixture(999).flatten(2)[0].T
    noise = torch.randn(fresh.shape, generator=torch.Generator().manual_seed(0))
    places = positions(SIDE, SIDE)
    learned = prior.residual(fresh, noise, 0.5, places).mean()
    # The best estimate of one kind is its middle, 0.2 away; without knowing kinds it is 1.04 / 2.
    assert learned < 0.1 < trained(tmp_path).residual(fresh, noise, 0.5, places).mean()
    strange = fresh.clone()
    strange[:, ::2] *= -1
    assert prior.residual(strange, noise, 0.34, places).min() > \
        prior.residual(fresh, noise, 0.34, places).max()


@pytest.mark.parametrize(("latents", "placed"), [(ordered, True), (alike, False)])
def test_the_place_is_told_where_it_says_something(tmp_path, latents, placed):
    prior = trained(tmp_path, latents, steps=100)
    chosen, quality = with_place(prior, lambda number: latents(1000 + number), 20)
    assert chosen.placed == placed and chosen.network is prior.network
    assert (quality["place_ratio"] <= BETTER) == placed
    assert set(quality) == {"place_ratio", *(f"explained_{level:g}" for level in HELD_OUT_LEVELS)}
    shares = [quality[f"explained_{level:g}"] for level in HELD_OUT_LEVELS]
    assert shares == sorted(shares, reverse=True) and 0 < shares[-1] < shares[0] < 1
