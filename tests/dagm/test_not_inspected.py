"""Nothing is drawn where nothing is inspected, and nothing is learned from there."""

import numpy as np
import pytest
import tiny
import torch

from hdm.dagm.bank import synthesize, usable_sources
from hdm.dagm.blending import noise_level
from hdm.dagm.latent_vectors import collect, ignored_views, training_views
from hdm.dagm.mask_codes import CHANGED, IGNORED, NOT_INSPECTED
from hdm.dagm.masks import FAMILIES, draw_mask
from hdm.dagm.siblings import Siblings
from hdm.dataset.ignore_mask import IgnoreMask
from hdm.ddm.batches import Batches
from hdm.model_settings import Benign, DagmSynthesize

HIDDEN = np.zeros((32, 32), bool)
HIDDEN[:, :16] = True
IGNORED_PIXELS = torch.from_numpy(HIDDEN).expand(10, 32, 32)
NORMALS = tiny.textures(10)
SPLITS = ["train"] * 8 + ["calibration"] * 2


@pytest.fixture(scope="module")
def bank():
    return synthesize(NORMALS, SPLITS, DagmSynthesize(samples=30), {"fill": 0.5, "cut_paste": 0.5},
                      seed=0, ignored=IGNORED_PIXELS)


@pytest.mark.parametrize("family", [*FAMILIES, "rim", None])
@pytest.mark.parametrize("front", [None, "right", "left"])
def test_masks_are_drawn_elsewhere(family, front) -> None:
    foreground = None if front is None else HIDDEN if front == "left" else ~HIDDEN
    for seed in range(5):
        _, mask = draw_mask(np.random.default_rng(seed), (32, 32), foreground, family, HIDDEN)
        assert mask.any() and not (mask & HIDDEN).any()


def test_the_bank_says_so_and_leaves_these_places_as_they_were(bank) -> None:
    hidden = bank.masks == NOT_INSPECTED
    assert torch.equal(hidden, IGNORED_PIXELS[0].expand_as(hidden))
    bases = NORMALS[bank.table["base"].to_numpy()].half()
    assert torch.equal(bank.images[:, :, :, :16], bases[:, :, :, :16])
    assert all((mask == CHANGED).any() or (mask == IGNORED).any() for mask in bank.masks)


def test_siblings_and_good_images_teach_nothing_there(bank) -> None:
    siblings = Siblings(bank, NORMALS[:8], IGNORED_PIXELS[:8])
    for row in range(5):
        _, label = siblings.draw(row, np.random.default_rng(row))
        assert (label[:, :16] == NOT_INSPECTED).all() and (label[:, 16:] != NOT_INSPECTED).all()
    still = Benign(turn=0, scale=0, shift=0)
    batches = Batches(NORMALS[:8], bank, torch.arange(24), tiny.ddm_settings(), still,
                      IGNORED_PIXELS[:8])
    drawn = batches.draw(0, torch.Generator().manual_seed(0))
    assert not drawn.weight[..., :16].any() and not drawn.mask[..., :16].any()
    assert drawn.weight[..., 16:].mean() > 0.5


@pytest.mark.parametrize("shade", [-1.0, 0.0, 0.4])
def test_two_tones_and_noise_are_those_of_what_is_inspected(shade) -> None:
    bare = torch.sign(NORMALS)
    filled = bare.masked_fill(IGNORED_PIXELS[:, None], shade)
    noisy = torch.randn(10, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    grey = noisy.masked_fill(IGNORED_PIXELS[:, None], shade)
    assert usable_sources(DagmSynthesize(), filled, IGNORED_PIXELS) == {"repaint": 1.0}
    assert "fill" in usable_sources(DagmSynthesize(), grey, IGNORED_PIXELS)
    found = noise_level(grey[0].numpy(), HIDDEN)
    assert found == pytest.approx(noise_level(noisy[0].numpy()), rel=0.15)


@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_latents_that_lie_there_whole_are_not_learned_from(fit, views) -> None:
    text = IgnoreMask.of(np.kron(HIDDEN, np.ones((2, 2), bool))).text()
    form = tiny.input_format(fit=fit, detail=2.0, ignored=text)
    images = [torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(n)) for n in range(4)]
    still = Benign(turn=0, scale=0, shift=0)
    hidden = ignored_views(lambda number: (64, 64), form, views, still, seed=0)
    made = training_views(images.__getitem__, form, views, still, seed=0)
    _, found = collect(made, 4, tiny.encoder(), 4, seed=0, ignored=hidden)
    assert len(found.latents) == 4 * views * 8 * 4
    assert found.places[:, 1].min() > 0.5
    assert ignored_views(lambda number: (64, 64), tiny.input_format(), views, still, seed=0)(0) \
        is None


@pytest.mark.parametrize("seed", range(3))
def test_the_mask_moves_with_its_views(seed) -> None:
    """An image that is bright where it is ignored is so in each view where its mask is."""
    text = IgnoreMask.of(HIDDEN).text()
    form = tiny.input_format(detail=1.0, ignored=text)
    image = torch.from_numpy(HIDDEN).float()[None]
    turned = Benign(contrast=0, turn=20, scale=0.1, shift=0.1)
    hidden = ignored_views(lambda number: (32, 32), form, 4, turned, seed=seed)(1)
    shown = training_views(lambda number: image, form, 4, turned, seed=seed)(1)
    bright = shown[:, 0] > shown.mean((1, 2, 3)).view(-1, 1, 1)
    assert (bright == hidden).float().mean() > 0.95
