"""What POM measures: gaps against closed forms, the probe on easy and hopeless samples."""

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.pom.generation import sample_evidence
from hdm.pom.generation.sample_evidence import (
    _half,
    _in_mask_auroc,
    descriptors,
    detectabilities,
    likelihood_gaps,
    measure,
)

SPECTRUM = torch.full((32, 32), 1e-4, dtype=torch.float64)
SPECTRUM[:4, :4] = 16.0


@pytest.fixture(scope="module")
def scene():
    """Smooth images; the first half of the samples has a grating in its mask, the rest nothing."""
    generator = torch.Generator().manual_seed(0)
    draw = torch.randn(12, 1, 32, 32, generator=generator, dtype=torch.float64)
    normals = tiny.from_modes(SPECTRUM.sqrt() * draw).float()
    rng, count = np.random.default_rng(0), 48
    base = rng.integers(0, 12, count)
    masks = torch.zeros(count, 32, 32, dtype=torch.uint8)
    images = normals[base].clone()
    for i in range(count):
        y, x = rng.integers(1, 22, 2)
        masks[i, y:y + 9, x:x + 9] = 1
        if i < count // 2:
            images[i, 0, y:y + 9, x:x + 9] += 0.8 * (-1) ** torch.arange(9)[None]
    table = pd.DataFrame({"base": base, "source": "fill", "family": "band"})
    return SampleBank(images.half(), masks, table), normals, tiny.gaussian_prior(SPECTRUM)


def test_gap_tells_unlikely_from_unchanged(scene):
    bank, normals, prior = scene
    gaps, chance = likelihood_gaps(bank, normals, prior, seed=0)
    assert gaps.shape == chance.shape == (48,)
    assert gaps[:24].min() > 10 * np.abs(chance).max()
    assert np.abs(gaps[24:]).max() < 0.05, "an unchanged sample differs by its rounding alone"


def test_gap_is_reproducible_and_reports_progress(scene):
    bank, normals, prior = scene
    seen = []
    one = likelihood_gaps(bank, normals, prior, seed=3, progress=lambda *e: seen.append(e))
    two = likelihood_gaps(bank, normals, prior, seed=3)
    assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
    assert seen[-1] == (144, 144)


def test_chance_gap_is_centred(scene):
    bank, normals, prior = scene
    chance = np.concatenate([likelihood_gaps(bank, normals, prior, seed=s)[1] for s in range(4)])
    assert abs(chance.mean()) < 3 * chance.std() / 2


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
    bank, normals, prior = scene
    monkeypatch.setattr(sample_evidence, "PROBE_TRAINING",
                        sample_evidence.PROBE_TRAINING.model_copy(update={"steps": 2}))
    seen = []
    table = measure(bank, normals, prior, seed=0, progress=lambda *e: seen.append(e[0] / e[1]))
    assert list(table.columns) == [*bank.table.columns, "gap", "chance_gap", "detectability"]
    assert max(seen) == 1.0 and seen == sorted(seen)
    assert measure(bank, normals, prior, seed=0).equals(table)
