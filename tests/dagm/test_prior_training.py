"""The normal prior: closed forms with the optimal denoiser, training, files."""

import json
import math

import pytest
import tiny
import torch

from hdm.dagm.prior_training import _variance_bound, fit
from hdm.diffusion.compute import Backend
from hdm.diffusion.normal_prior import NormalPrior
from hdm.diffusion.schedule import NoiseSchedule
from hdm.errors import HDMError

SPECTRUM = torch.full((16, 16), 0.05, dtype=torch.float64)
SPECTRUM[:4, :4] = 4.0
SPECTRUM[0, 0] = 0.0  # no brightness, which `explained` leaves out


@pytest.fixture(scope="module")
def gaussian():
    generator = torch.Generator().manual_seed(2)
    draw = torch.randn(600, 1, 16, 16, generator=generator, dtype=torch.float64)
    return tiny.gaussian_prior(SPECTRUM), tiny.from_modes(SPECTRUM.sqrt() * draw).float()


def expected_error(prior, level):
    """Mean posterior variance of the modes, v (1 - abar) / (abar v + 1 - abar)."""
    t = torch.tensor([prior.schedule.timestep(level)])
    abar = prior.schedule.alpha_bar(t).double().item()
    return (SPECTRUM * (1 - abar) / (abar * SPECTRUM + 1 - abar)).mean().item()


@pytest.mark.parametrize("level", [0.1, 0.25, 0.5, 0.9])
def test_denoising_error_of_the_optimal_denoiser(gaussian, level):
    prior, images = gaussian
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    errors = prior.denoising_error(images, level, noise)
    assert errors.shape == (600, 16, 16)
    assert errors.mean().item() == pytest.approx(expected_error(prior, level), rel=0.03)


def test_explained_variance_of_the_optimal_denoiser(gaussian):
    prior, images = gaussian
    shares = prior.explained(images)
    total = SPECTRUM.mean().item()
    assert shares == pytest.approx(
        {f"{x:g}": 1 - expected_error(prior, x) / total for x in (0.1, 0.25, 0.5)}, abs=0.02)


def test_explained_variance_of_flat_images_is_finite():
    shares = tiny.prior().explained(torch.zeros(2, 1, 32, 32))
    assert all(abs(v) < 1e9 for v in shares.values())


def test_one_noise_image_serves_all(gaussian):
    prior, images = gaussian
    noise = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    together = prior.normal_appearance(images[:3], 0.3, noise)
    torch.testing.assert_close(together[1:2], prior.normal_appearance(images[1:2], 0.3, noise))


def bound(output, error=0.0, t=3):
    schedule, steps = NoiseSchedule(1000), torch.tensor([t])
    clean = torch.zeros(1, 1, 2, 2)
    variance = torch.full_like(clean, output, requires_grad=True)
    return schedule, _variance_bound(schedule, clean, clean, clean + error, steps, variance)


def test_variance_bound_is_the_gaussian_divergence():
    schedule, none = bound(-1.0)
    assert none.item() == pytest.approx(0, abs=1e-6), "the posterior variance is exact for no error"
    abar_t, abar_s = schedule.scheduler.alphas_cumprod[[3, 2]].double().tolist()
    beta = 1 - abar_t / abar_s
    small = beta * (1 - abar_s) / (1 - abar_t)
    ratio = small / beta
    assert bound(1.0)[1].item() == pytest.approx(0.5 * (ratio - 1 - math.log(ratio)), rel=1e-3)
    gap = (abar_s**0.5 * beta / (1 - abar_t) * 0.5) ** 2
    assert bound(-1.0, error=0.5)[1].item() == pytest.approx(0.5 * gap / small, rel=1e-3)
    assert bound(0.0, t=0)[1].item() == 0, "the last step has no variance to learn"


def test_variance_learns_and_the_mean_is_left_to_the_velocity():
    _, value = bound(0.5, error=1.0)
    assert value.requires_grad


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_fit_is_reproducible_and_reports_its_terms(tmp_path, learned, channels):
    normals = tiny.textures(5, channels=channels)
    form, settings = tiny.input_format(channels=channels), tiny.dagm_settings(
        learned_variance=learned)
    told = []

    def train(seed):
        (tmp_path / "c").unlink(missing_ok=True)  # it would be gone on with
        return fit(normals, form, settings, tiny.COMPUTE, seed=seed, checkpoint=tmp_path / "c",
                   report=lambda step, terms: told.append((step, set(terms))))

    one, two, other = train(0), train(0), train(1)
    state = one.network.state_dict()
    assert all(torch.equal(v, two.network.state_dict()[k]) for k, v in state.items())
    assert not all(torch.equal(v, other.network.state_dict()[k]) for k, v in state.items())
    assert told[0] == (3, {"loss", "velocity"} | ({"variance"} if learned else set()))
    clean, variance = one.denoise(normals, torch.tensor([5] * 5))
    assert clean.shape == normals.shape and (variance is not None) == learned


def test_training_explains_more_than_no_training(tmp_path):
    normals, form = tiny.textures(16), tiny.input_format()
    training = tiny.dagm_settings().training.model_copy(
        update={"steps": 80, "batch": 8, "learning_rate": 0.01})
    settings = tiny.dagm_settings().model_copy(update={"training": training})
    trained = fit(normals, form, settings, tiny.COMPUTE, seed=0, checkpoint=tmp_path / "c")
    fresh = tiny.textures(8, seed=9)
    assert trained.explained(fresh)["0.25"] > 0.3


def test_saved_and_loaded_denoises_bit_identically(tmp_path):
    prior = tiny.prior(tiny.input_format(channels=3))
    prior.save(tmp_path)
    loaded = NormalPrior.load(tmp_path, Backend(tiny.COMPUTE))
    assert loaded.form == prior.form and loaded.settings == prior.settings
    x, t = tiny.textures(2, channels=3), torch.tensor([10, 700])
    for ours, theirs in zip(prior.denoise(x, t), loaded.denoise(x, t), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("damage", ["missing json", "no json", "other json", "missing weights",
                                    "truncated weights", "other network"])
def test_damaged_folder_is_one_sentence(tmp_path, damage):
    tiny.prior().save(tmp_path)
    weights, description = tmp_path / "prior.safetensors", tmp_path / "prior.json"
    match damage:
        case "missing json":
            description.unlink()
        case "no json":
            description.write_bytes(b"\xff\xfe{{{")
        case "other json":
            description.write_text(json.dumps({"settings": {}}))
        case "missing weights":
            weights.unlink()
        case "truncated weights":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "other network":
            tiny.prior(tiny.input_format(channels=3)).save(tmp_path / ".." / tmp_path.name)
            content = json.loads(description.read_text())
            content["input"]["channels"] = 1
            description.write_text(json.dumps(content))
    with pytest.raises(HDMError, match=r"prior\.(json|safetensors)") as error:
        NormalPrior.load(tmp_path, Backend(tiny.COMPUTE))
    assert "\n" not in str(error.value)
