"""What the latent prior says of a place, in closed form where the exact denoiser is known."""

import json
import math
from itertools import combinations, pairwise

import pytest
import tiny
import torch
from diffusers.schedulers.scheduling_ddim_inverse import DDIMInverseScheduler

from hdm.diffusion import latent_prior
from hdm.diffusion.latent_prior import INVERSION, KINDS, RESIDUAL_LEVELS, SMALLEST, LatentPrior
from hdm.diffusion.latent_space import positions
from hdm.diffusion.place_denoiser import CHOICES, EVERYTHING, NOTHING, PlaceDenoiser, Told
from hdm.errors import HDMError

COUNT = 6_000


def gaussian() -> LatentPrior:
    """The exact prior of latents N(0, I), whose best velocity is zero: as the untrained one's."""
    prior = tiny.prior()
    network = PlaceDenoiser(prior.dimensions, prior.settings.network)
    return LatentPrior(prior.encoder, prior.space, network, prior.settings, told=NOTHING)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("level", [0.1, 0.34, 0.5, 0.9])
def test_the_residual_of_what_is_normal_is_the_noise_put_in(level):
    """E||E[z_0 | z_t] - z_0||^2 / D = sin(t pi/2)^2 for N(0, I)."""
    found = gaussian().residual(normal(COUNT, 8), normal(COUNT, 8, seed=1), level)
    assert found.shape == (COUNT,)
    assert found.mean().item() == pytest.approx(math.sin(level * math.pi / 2) ** 2, rel=0.03)


def test_the_estimate_of_what_is_normal_shrinks_by_the_signal():
    state = normal(10, 8)
    clean, noise = gaussian().denoise(state, 0.34)
    torch.testing.assert_close(clean, math.cos(0.17 * math.pi) * state)
    torch.testing.assert_close(noise, math.sin(0.17 * math.pi) * state)


def test_inversion_leads_what_is_normal_to_noise(monkeypatch):
    """N(0, I) to N(0, I) in many steps; in few, each shortens by the cosine of its angle."""
    latents = normal(COUNT, 8)
    few = gaussian().inversion(latents)
    factor = math.prod(math.cos((after - before) * math.pi / 2)
                       for before, after in pairwise(INVERSION))
    assert factor**2 == pytest.approx(0.4528, abs=1e-4)
    torch.testing.assert_close(few, factor * latents, atol=1e-5, rtol=1e-4)
    monkeypatch.setattr(latent_prior, "INVERSION", tuple(torch.linspace(0.02, 0.98, 100).tolist()))
    many = gaussian().inversion(latents)
    assert many.pow(2).mean().item() == pytest.approx(1, abs=0.03)
    assert many.T.cov().fill_diagonal_(0).abs().max() < 0.07


def test_inversion_is_that_of_diffusers():
    """alpha_bar = cos(t pi/2)^2 at the four levels, and the velocity of the same network."""
    prior, state = tiny.prior(), normal(6, 8)
    places, means = normal(6, 2, seed=2).sigmoid(), normal(6, 8, seed=1)
    bars = [1.0, *(math.cos(level * math.pi / 2) ** 2 for level in INVERSION)]
    theirs = DDIMInverseScheduler(len(INVERSION), prediction_type="v_prediction",
                                  clip_sample=False, trained_betas=[
                                      1 - after / before for before, after in pairwise(bars)])
    theirs.set_timesteps(len(INVERSION))
    ours = prior.inversion(state, places, means)
    for step, level in enumerate(INVERSION[:-1], 1):
        with torch.no_grad():
            v = prior.network(state[None], torch.tensor([level]), places[None], means[None],
                              torch.ones(1, 2))[0]
        state = theirs.step(v, step, state).prev_sample
    torch.testing.assert_close(ours, state, atol=1e-4, rtol=1e-4)


def test_evidence_is_the_logarithm_of_residual_and_inversion_at_each_place():
    prior, latents = gaussian(), normal(2, 8, 5, 6)
    found = prior.evidence(latents)
    assert found.shape == (2, KINDS, 5, 6)
    inner = found[..., 1:-1, 1:-1]
    assert found.shape[1] == len(RESIDUAL_LEVELS) + 1
    squares = latents.pow(2).mean(1)
    factor = math.prod(math.cos((b - a) * math.pi / 2) for a, b in pairwise(INVERSION))
    torch.testing.assert_close(inner[:, -1], (factor**2 * squares).log()[:, 1:-1, 1:-1],
                               atol=1e-5, rtol=1e-5)
    noise = torch.randn(30, 8, generator=torch.Generator().manual_seed(latent_prior.NOISE_SEED))
    noise = noise.T.view(8, 5, 6)
    signal, spread = (f(RESIDUAL_LEVELS[0] * math.pi / 2) for f in (math.cos, math.sin))
    residual = (signal * (signal * latents + spread * noise) - latents).pow(2).mean(1)
    torch.testing.assert_close(inner[:, 0], residual.log()[:, 1:-1, 1:-1], atol=1e-5, rtol=1e-5)


def test_outermost_places_say_what_the_next_ones_say():
    latents = normal(1, 8, 5, 6)
    before = gaussian().evidence(latents)
    latents[..., 0, :] *= 9
    latents[..., :, -1] *= 9
    found = gaussian().evidence(latents)
    torch.testing.assert_close(found, before, atol=0, rtol=0)
    torch.testing.assert_close(found[..., 0, 1:-1], found[..., 1, 1:-1], atol=0, rtol=0)
    torch.testing.assert_close(found[..., :, -1], found[..., :, -2], atol=0, rtol=0)


def test_residuals_are_read_at_the_levels_that_are_asked_for():
    prior, latents = gaussian(), normal(1, 8, 5, 5)
    found = prior.evidence(latents, (0.2, *RESIDUAL_LEVELS))
    assert found.shape[1] == len(RESIDUAL_LEVELS) + 2
    torch.testing.assert_close(found[:, 1:], prior.evidence(latents), atol=0, rtol=0)


def test_what_is_as_expected_to_the_last_digit_is_not_infinitely_so():
    assert gaussian().evidence(torch.zeros(1, 8, 3, 3))[:, -1].max().item() == \
        pytest.approx(math.log(SMALLEST))


@pytest.mark.parametrize("told", CHOICES)
def test_evidence_of_an_image_is_the_same_alone_and_in_a_batch(told):
    prior, latents = tiny.prior(told=told), normal(4, 8, 5, 3)
    together = prior.evidence(latents)
    for row in range(4):
        torch.testing.assert_close(together[row:row + 1], prior.evidence(latents[row:row + 1]),
                                   atol=1e-5, rtol=1e-5)
    twice = prior.evidence(latents[:1].repeat(2, 1, 1, 1))
    torch.testing.assert_close(twice[0], twice[1], atol=1e-5, rtol=1e-5)


def test_what_is_strange_is_strange_at_its_place_alone():
    latents = normal(1, 8, 7, 7)
    before = tiny.prior().evidence(latents)
    latents[:, :, 2, 4] *= 6
    change = tiny.prior().evidence(latents) - before
    assert change[0, :, 2, 4].min() > 1
    change[..., 2, 4] = 0
    assert change.abs().max() < 1e-5


def test_every_latent_is_denoised_at_its_own_position(monkeypatch):
    """By a denoiser that expects the position itself everywhere."""
    prior, latents = gaussian(), positions(5, 4).T.view(1, 2, 5, 4)
    prior.told = EVERYTHING
    monkeypatch.setattr(prior, "denoise", lambda state, level, places, means: (places, state))
    residual = prior.evidence(latents.repeat(2, 1, 1, 1))[:, 0]
    assert residual.max().item() == pytest.approx(math.log(SMALLEST))
    assert prior.evidence(latents.flip(2))[:, 0].max() > -3


def test_only_inversion_is_told_of_the_image_and_of_its_own(monkeypatch):
    prior, latents = gaussian(), normal(2, 8, 4, 5)
    prior.told = EVERYTHING
    asked = []
    monkeypatch.setattr(prior, "denoise", lambda state, level, places, means:
                        asked.append((level, means)) or (state, state))
    prior.evidence(latents)
    own = latents.mean((2, 3)).repeat_interleave(20, 0)
    assert [level for level, means in asked if means is None] == [*RESIDUAL_LEVELS]
    told = {level: means for level, means in asked if means is not None}
    assert list(told) == [*INVERSION[:-1]]
    for means in told.values():
        torch.testing.assert_close(means, own)


@pytest.mark.parametrize("told", CHOICES)
def test_evidence_asks_only_for_what_the_prior_is_told(monkeypatch, told):
    prior = tiny.prior(told=told)
    asked, exact = [], prior.denoise
    monkeypatch.setattr(prior, "denoise", lambda state, level, places, means: asked.append(
        Told(places is not None, means is not None)) or exact(state, level, places, means))
    prior.evidence(normal(1, 8, 4, 5))
    assert asked == [*[told._replace(image=False)] * len(RESIDUAL_LEVELS), *[told] * 3]


def test_what_is_not_given_is_not_told():
    prior, state = tiny.prior(), normal(3, 8)
    places, means = torch.full((3, 2), 0.1), normal(3, 8, seed=1)
    answers = [prior.denoise(state, 0.5, *given)[0] for given in (
        (None, None), (places, None), (None, means), (places, means))]
    for one, other in combinations(answers, 2):
        assert not torch.isclose(one, other).all(-1).any()
    assert torch.equal(prior.network(state[None], torch.tensor([0.5]), places[None], means[None],
                                     torch.zeros(1, 2))[0],
                       prior.network(state[None], torch.tensor([0.5]), 1 - places[None],
                                     -means[None], torch.zeros(1, 2))[0])


def test_latents_are_the_whitened_features_of_the_encoder():
    prior, images = tiny.prior(), tiny.textures(2, 48)
    features = prior.encoder.encode(images)
    found = prior.latents(images)
    assert found.shape == (2, 8, 6, 6)
    torch.testing.assert_close(found[1, :, 2, 3], features[1, :, 2, 3] @ prior.space.whitening)


@pytest.mark.parametrize("told", CHOICES)
def test_saved_and_loaded_says_the_same_bit_for_bit(tmp_path, told):
    prior = tiny.whitened(tiny.prior(told=told), tiny.textures(4))
    prior.network.standardize(normal(3, 8))
    prior.save(tmp_path)
    loaded = LatentPrior.load(tmp_path, torch.device("cpu"))
    assert loaded.settings == prior.settings and loaded.told == told
    images = tiny.textures(2, seed=5)
    one, two = (each.evidence(each.latents(images)) for each in (prior, loaded))
    assert torch.equal(one, two)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "backbone.safetensors", "prior.json", "prior.safetensors"]


def rewrite(file, **change):
    file.write_text(json.dumps(json.loads(file.read_text()) | change))


DAMAGE = {
    "no description": lambda f: (f / "prior.json").unlink(),
    "not JSON": lambda f: (f / "prior.json").write_bytes(b"\xff\xfe{{{"),
    "other JSON": lambda f: (f / "prior.json").write_text('{"settings": {}}'),
    "a list": lambda f: (f / "prior.json").write_text("[]"),
    "unknown setting": lambda f: rewrite(f / "prior.json", settings={"magic": 1}),
    "another network": lambda f: rewrite(f / "prior.json", settings={}),
    "no weights": lambda f: (f / "prior.safetensors").unlink(),
    "truncated weights": lambda f: (f / "prior.safetensors").write_bytes(
        (f / "prior.safetensors").read_bytes()[:-100]),
    "weights of another": lambda f: (f / "prior.safetensors").write_bytes(
        (f / "backbone.safetensors").read_bytes()),
    "no backbone": lambda f: (f / "backbone.safetensors").unlink(),
    "truncated backbone": lambda f: (f / "backbone.safetensors").write_bytes(
        (f / "backbone.safetensors").read_bytes()[:-100]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_one_sentence(tmp_path, damage):
    tiny.prior().save(tmp_path)
    DAMAGE[damage](tmp_path)
    with pytest.raises(HDMError) as error:
        LatentPrior.load(tmp_path, torch.device("cpu"))
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)
