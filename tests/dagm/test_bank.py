"""The sample bank: what it is made of, what is reproducible, and what a label means."""

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm import bank as bank_module
from hdm.dagm.bank import SampleBank, synthesize, usable_sources
from hdm.dagm.blending import noise_level
from hdm.errors import HDMError
from hdm.model_settings import DagmSynthesize

OTHERS = {"cut_paste": 0.25, "photometric": 0.25, "procedural": 0.25, "fill": 0.25}
MIXED = {"cut_paste": 0.3, "photometric": 0.2, "structural": 0.2, "shuffle": 0.3}
SPLITS = ["train"] * 8 + ["calibration"] * 3


@pytest.fixture(scope="module")
def normals():
    return tiny.textures(11, channels=3)


@pytest.fixture(scope="module")
def make(normals):
    def build(samples, shares, seed=3, splits=SPLITS):
        return synthesize(normals, splits, DagmSynthesize(samples=samples), shares, seed=seed)
    return build


@pytest.fixture(scope="module")
def bank(make):
    return make(40, MIXED)


def test_shapes_types_and_table(bank):
    assert bank.images.shape == (40, 3, 32, 32) and bank.images.dtype == torch.float16
    assert bank.masks.shape == (40, 32, 32) and bank.masks.dtype == torch.uint8
    assert set(bank.masks.unique().tolist()) <= {0, 1, 2}
    assert torch.isfinite(bank.images).all() and bank.images.abs().max() <= 3
    assert set(bank.table["source"]) == set(MIXED)
    assert {"base", "split", "source", "family", "strength", "opacity",
            "visible"} <= set(bank.table.columns)
    assert bank.table["opacity"].between(0, 1).all() and bank.table["visible"].ge(0).all()
    assert (bank.masks.flatten(1) > 0).any(1).all(), "no sample is untouched"


def test_every_fifth_base_is_a_calibration_image(bank):
    expected = ["calibration" if i % 5 == 4 else "train" for i in range(40)]
    assert bank.table["split"].tolist() == expected
    assert [SPLITS[b] for b in bank.table["base"]] == expected


def test_without_calibration_images_all_bases_are_for_training(make):
    table = make(6, OTHERS, splits=["train"] * 11).table
    assert set(table["split"]) == {"train"}


def test_untouched_pixels_are_the_good_images(bank, normals):
    base = normals[bank.table["base"].tolist()].half()
    change = (bank.images - base).abs().float().mean(1)
    touched = bank.masks > 0
    assert change[~touched].max() < 0.4, "at most the feather's last 5 %"
    far = ~torch.nn.functional.max_pool2d(touched.float(), 15, 1, 7).bool()
    assert far.any() and change[far].max() < 1e-3


def test_sample_depends_on_seed_and_number_alone(make):
    """The first 10 of 25 are the 10, and another seed gives others."""
    few, many, other = make(10, OTHERS), make(25, OTHERS), make(10, OTHERS, seed=4)
    assert torch.equal(few.images, many.images[:10]) and torch.equal(few.masks, many.masks[:10])
    pd.testing.assert_frame_equal(few.table, many.table[:10])
    assert not torch.equal(few.images, other.images)


def test_whole_bank_is_reproducible(bank, make):
    again = make(40, MIXED)
    assert torch.equal(bank.images, again.images) and torch.equal(bank.masks, again.masks)
    pd.testing.assert_frame_equal(bank.table, again.table)


def test_round_trip(bank, tmp_path):
    bank.save(tmp_path)
    loaded = SampleBank.load(tmp_path)
    assert torch.equal(bank.images, loaded.images) and torch.equal(bank.masks, loaded.masks)
    pd.testing.assert_frame_equal(bank.table, loaded.table)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["bank.parquet", "bank.safetensors"]


def test_missing_or_truncated_bank_is_one_sentence(bank, tmp_path):
    with pytest.raises(HDMError, match="bank"):
        SampleBank.load(tmp_path)
    bank.save(tmp_path)
    file = tmp_path / "bank.safetensors"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(HDMError, match="bank"):
        SampleBank.load(tmp_path)


def test_progress_counts_samples(normals):
    seen = []
    synthesize(normals, SPLITS, DagmSynthesize(samples=12), {"fill": 1.0}, seed=0,
               progress=lambda *e: seen.append(e))
    assert seen == [(done, 12) for done in range(1, 13)]


def blend(content_change, strength, mask_side=12):
    normals = tiny.textures(1)
    mask = np.zeros((1, 32, 32), bool)
    mask[0, 8:8 + mask_side, 8:8 + mask_side] = True
    table = pd.DataFrame([{"base": 0, "strength": strength, "feather": 0.0, "opacity": 1.0}])
    images, labels = bank_module._blend(normals, normals.numpy() + content_change, mask, table,
                                        [None])
    return images - normals.numpy(), labels, mask, table["opacity"].item()


@pytest.mark.parametrize(("content", "strength", "expected"),
                         [(1.0, 0.5, 0.5), (-1.0, 0.25, 0.25), (0.3, 0.9, 0.3)])
def test_opacity_brings_the_change_to_the_strength(content, strength, expected):
    change, _, mask, opacity = blend(content, strength)
    assert opacity == pytest.approx(expected / abs(content), rel=1e-4)
    assert np.abs(change[:, 0][mask]).mean() == pytest.approx(expected, rel=1e-3)
    assert not change[:, 0][~mask].any()


def test_visible_change_is_labelled_one_and_faint_change_two():
    _, labels, mask, _ = blend(1.0, 0.9)
    assert (labels[mask] == 1).all() and not labels[~mask].any()
    _, labels, mask, _ = blend(0.001, 0.9)
    assert (labels[mask] == 2).all() and not labels[~mask].any()


def test_no_change_at_all_is_no_division_by_zero():
    change, labels, mask, opacity = blend(0.0, 0.9)
    assert not change.any() and opacity == 1.0 and (labels[mask] == 2).all()


def test_noise_level_of_pure_noise():
    rng = np.random.default_rng(0)
    flat = np.full((1, 64, 64), 0.3)
    assert noise_level(flat) == pytest.approx(0.01)
    noisy = flat + rng.normal(0, 0.1, flat.shape)
    slope = noisy + np.linspace(-1, 1, 64)
    assert noise_level(noisy) == pytest.approx(0.1, rel=0.1)
    assert noise_level(slope) == pytest.approx(0.1, rel=0.1)


def test_shares_add_up_to_one_without_those_of_nothing():
    settings = DagmSynthesize(sources={"structural": 3, "fill": 1, "shuffle": 0})
    assert usable_sources(settings, tiny.textures(4)) == {"structural": 0.75, "fill": 0.25}


def test_a_line_of_two_tones_is_repainted_and_nothing_else():
    grey = tiny.textures(4)
    bare = torch.where(grey > 0, 1.0, -1.0)
    assert usable_sources(DagmSynthesize(), bare) == {"repaint": 1.0}
    assert "fill" in usable_sources(DagmSynthesize(two_tones=False), bare)
    assert usable_sources(DagmSynthesize(two_tones=True), grey) == {"repaint": 1.0}


def test_repainted_samples_have_no_grey_but_at_their_edge():
    bare = torch.where(tiny.textures(10) > 0, 1.0, -1.0)
    bank = synthesize(bare, ["train"] * 8 + ["calibration"] * 2, DagmSynthesize(samples=30),
                      {"repaint": 1.0}, seed=0)
    assert (bank.table["opacity"] == 1).all()
    grey = (bank.images.float().abs() < 0.5).float().mean((1, 2, 3))
    changed = (bank.masks == 1).float().mean((1, 2))
    assert (changed > 0).sum() > 20
    assert grey.mean() < 0.1 * max(changed.mean(), 0.2)
