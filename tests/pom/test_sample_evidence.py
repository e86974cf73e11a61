"""What POM measures: gaps against closed forms, the probe on easy and hopeless samples."""

import math

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from torch.nn import functional as F

from hdm.dagm.bank import SampleBank
from hdm.diffusion.latent_prior import LatentPrior
from hdm.diffusion.latent_space import LatentSpace
from hdm.diffusion.place_denoiser import NOTHING, PlaceDenoiser
from hdm.pom.generation import sample_evidence
from hdm.pom.generation.sample_evidence import (
    GAP_LEVEL,
    _half,
    _in_mask_auroc,
    descriptors,
    detectabilities,
    likelihood_gaps,
    measure,
)

FORM = tiny.input_format()


class Patches:
    """An encoder of 8 fixed projections of each square of 8 px."""

    channels, device = 8, torch.device("cpu")
    filters = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)) / 8

    def encode(self, images):
        return F.conv2d(images, self.filters, stride=8)


@pytest.fixture(scope="module")
def scene():
    """Smooth images with a little grain, the exact prior if their latents are Gaussian; the first
    half of the samples has a grating in its mask, the rest nothing."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(12, 1, 4, 4, generator=generator)
    normals = F.interpolate(coarse, size=(32, 32), mode="bicubic", align_corners=False)
    normals += 0.05 * torch.randn(normals.shape, generator=generator)
    features = Patches().encode(normals).movedim(1, -1).flatten(0, 2).double()
    settings = tiny.dagm_settings()
    prior = LatentPrior(
        Patches(), LatentSpace.fit(features.mean(0), features.T.cov(correction=0), 8),
        PlaceDenoiser(8, settings.network), settings, told=NOTHING)
    rng, count = np.random.default_rng(0), 48
    base = rng.integers(0, 12, count)
    masks = torch.zeros(count, 32, 32, dtype=torch.uint8)
    images = normals[base].clone()
    for i in range(count):
        y, x = rng.integers(1, 22, 2)
        masks[i, y:y + 9, x:x + 9] = 1
        if i < count // 2:
            images[i, 0, y:y + 9, x:x + 9] += 2 * (-1) ** torch.arange(9)[None]
    table = pd.DataFrame({"base": base, "source": "fill", "family": "band"})
    return SampleBank(images.half(), masks, table), normals, prior


def test_gap_tells_unlikely_from_unchanged(scene):
    gaps, chance = likelihood_gaps(*scene, FORM, seed=0)
    assert gaps.shape == chance.shape == (48,)
    assert np.median(gaps[:24]) > np.quantile(np.abs(chance), 0.95)
    assert np.abs(gaps[24:]).max() < 0.05, "an unchanged sample differs by its rounding alone"


def test_gap_by_hand(scene):
    """With the exact denoiser of N(0, I), the estimate is cos z_t: at each square under the mask,
    how much larger the logarithm of its error is than that of the good base."""
    bank, normals, prior = scene
    gaps, _ = likelihood_gaps(*scene, FORM, seed=5)
    cos, sin = (f(GAP_LEVEL * math.pi / 2) for f in (math.cos, math.sin))
    noise = torch.randn(16, 8, generator=torch.Generator().manual_seed(5)).T.view(8, 4, 4)
    for row in (0, 7, 30):
        pair = torch.stack([bank.images[row].float(), normals[bank.table["base"][row]]])
        z = prior.latents(pair)
        error = (cos * (cos * z + sin * noise) - z).pow(2).mean(1).log()
        touched = [(y, x) for y in range(4) for x in range(4)
                   if bank.masks[row, 8 * y:8 * y + 8, 8 * x:8 * x + 8].any()]
        expected = np.mean([(error[0] - error[1])[place].item() for place in touched])
        assert gaps[row] == pytest.approx(expected, abs=1e-4)


def test_gap_is_reproducible_and_reports_progress(scene):
    seen = []
    one = likelihood_gaps(*scene, FORM, seed=3, progress=lambda *e: seen.append(e))
    two = likelihood_gaps(*scene, FORM, seed=3)
    assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (48, 48)


def test_chance_gap_is_centred(scene):
    chance = np.concatenate([likelihood_gaps(*scene, FORM, seed=s)[1] for s in range(4)])
    assert 0 < abs(chance.mean()) < 3 * chance.std() / 2


@pytest.mark.parametrize(("strength", "low", "high"), [(1.5, 0.9, 1.0), (0.0, 0.3, 0.72)])
def test_probe_finds_plain_defects_and_guesses_at_invisible_ones(strength, low, high):
    """Dark squares on grain, found in images that the probe never saw; or no squares at all."""
    rng = np.random.default_rng(0)
    normals = 0.1 * torch.randn(10, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    base, masks = rng.integers(0, 10, 60), torch.zeros(60, 64, 64, dtype=torch.uint8)
    images = normals[base.tolist()].clone()
    for i, (y, x) in enumerate(rng.integers(0, 44, (60, 2))):
        masks[i, y:y + 20, x:x + 20] = 1
        images[i, 0, y:y + 20, x:x + 20] -= strength
    bank = SampleBank(images.half(), masks, pd.DataFrame({"base": base}))
    found = detectabilities(bank, normals, seed=0)
    assert found.shape == (60,) and ((found >= 0) & (found <= 1)).all()
    assert low <= np.median(found) <= high


def test_one_good_image_gives_chance_not_an_error(scene, monkeypatch):
    bank, normals, _ = scene
    monkeypatch.setattr(sample_evidence, "PROBE_TRAINING",
                        sample_evidence.PROBE_TRAINING.model_copy(update={"steps": 1}))
    rows = slice(0, 4)
    few = SampleBank(bank.images[rows], bank.masks[rows], bank.table[rows].assign(base=0))
    assert detectabilities(few, normals[:1], seed=0).tolist() == [0.5] * 4


def test_auroc_inside_against_outside():
    changed = torch.tensor([[True, True, False, False, False]])
    known = torch.tensor([[True, True, True, True, False]])
    assert _in_mask_auroc(torch.tensor([[3.0, 2, 1, 0, 9]]), changed, known) == 1.0
    assert _in_mask_auroc(torch.tensor([[3.0, 0.5, 1, 0, 9]]), changed, known) == 0.75
    assert _in_mask_auroc(torch.zeros(1, 5), changed, known) == 0.5
    for all_or_none in (torch.zeros(1, 5).bool(), torch.ones(1, 5).bool()):
        assert _in_mask_auroc(torch.arange(5.0)[None], all_or_none, all_or_none) == 0.5


def test_half_size_keeps_the_smallest_defect():
    masks = torch.zeros(1, 4, 6, dtype=torch.bool)
    masks[0, 3, 2] = True
    assert _half(masks).tolist() == [[[False, False, False], [False, True, False]]]


def test_descriptors_are_standardised_and_tell_size_and_place(scene):
    bank, normals, _ = scene
    table = descriptors(bank, normals)
    assert table.shape == (48, 10) and np.isfinite(table).all()
    np.testing.assert_allclose(table.mean(0), 0, atol=1e-5)
    # Grey marks of one size and shape: these four columns say nothing of them.
    np.testing.assert_allclose(table.std(0), [0, 1, 1, 0, 0, 1, 1, 1, 1, 0], atol=1e-6)
    rows, columns = (bank.masks > 0).float().argmax(1), (bank.masks > 0).float().argmax(2)
    assert np.corrcoef(table[:, 2], columns.amax(1))[0, 1] > 0.95
    assert np.corrcoef(table[:, 1], rows.amax(1))[0, 1] > 0.95
    larger = bank.masks.clone()
    larger[:10] = 1
    size = descriptors(SampleBank(bank.images, larger, bank.table), normals)[:, 0]
    assert size[:10].min() > size[10:].max()
    assert table[:24, 7].min() > table[24:, 7].max(), "largest change"


def test_descriptors_of_empty_and_tiny_masks_are_finite():
    masks = torch.zeros(3, 32, 32, dtype=torch.uint8)
    masks[1, 4, 4], masks[2, 4:6, 4] = 1, 1
    bank = SampleBank(torch.zeros(3, 3, 32, 32).half(), masks,
                      pd.DataFrame({"base": [0, 0, 0], "source": "fill"}))
    assert np.isfinite(descriptors(bank, torch.zeros(1, 3, 32, 32))).all()


def test_measure_adds_the_evidence_and_halves_the_bar(scene, monkeypatch):
    monkeypatch.setattr(sample_evidence, "PROBE_TRAINING",
                        sample_evidence.PROBE_TRAINING.model_copy(update={"steps": 2}))
    bank, seen = scene[0], []
    table = measure(*scene, FORM, seed=0, progress=lambda *e: seen.append(e[0] / e[1]))
    assert list(table.columns) == [*bank.table.columns, "gap", "chance_gap", "detectability"]
    assert max(seen) == 1.0 and seen == sorted(seen)
    assert measure(*scene, FORM, seed=0).equals(table)


def test_without_a_prior_the_probe_decides_alone(scene, monkeypatch):
    monkeypatch.setattr(sample_evidence, "PROBE_TRAINING",
                        sample_evidence.PROBE_TRAINING.model_copy(update={"steps": 2}))
    bank, normals, prior = scene
    table, told = (measure(bank, normals, one, FORM, seed=0) for one in (None, prior))
    assert not table[["gap", "chance_gap"]].any().any()
    assert table["detectability"].equals(told["detectability"])
