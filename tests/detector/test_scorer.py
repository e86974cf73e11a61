"""From prepared images to maps of evidence: sizes, kinds, batches and tiles."""

import pytest
import tiny
import torch

from hdm.dataset.tiles import over_tiles
from hdm.detector import ddm as ddm_module
from hdm.detector import scorer as scorer_module
from hdm.detector.normality import Normality
from hdm.detector.scorer import all_maps, beside, evidence_maps
from hdm.diffusion.latent_prior import KINDS

PLAIN = Normality(None, torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]))


def module(fit="resize", detail=2.0, **over):
    return tiny.ddm(tiny.input_format(fit=fit, height=48, detail=detail), **over)


@pytest.mark.parametrize("detail", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("backbone", [True, False])
def test_each_kind_has_a_map_of_the_canvas(detail, backbone):
    ddm = module(detail=detail, backbone=backbone)
    images = tiny.textures(2, 96)[..., :64]
    found = evidence_maps(ddm, PLAIN, images)
    assert found.shape == (2, KINDS + 1 if backbone else 1, 48, 32)
    torch.testing.assert_close(found[:, -1:], ddm.judge(ddm.form.for_discriminator(images)))


def test_the_diffusion_is_that_of_what_the_encoder_sees():
    ddm, images = module(detail=0.7), tiny.textures(2, 48)
    seen = ddm.form.for_encoder(images)
    assert seen.shape[-2:] == (32, 32)
    found = ddm.of_latents(ddm.latents(seen))
    torch.testing.assert_close(found, ddm.prior.evidence(ddm.prior.latents(seen)))
    assert found.shape == (2, KINDS, 4, 4)
    assert module(backbone=False).of_latents(module(backbone=False).latents(seen)) is None


def test_coarse_maps_are_interpolated_to_the_finer_size():
    coarse = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2)
    found = beside(coarse, torch.full((1, 1, 2, 4), 7.0))
    assert found[0, 0].tolist() == [[0, 1, 3, 4]] * 2 and (found[0, 1] == 7).all()


def test_larger_images_are_judged_by_tiles_and_encoded_whole():
    ddm, images = module("tile"), tiny.textures(1, 160)
    seen = ddm.form.for_discriminator(images)
    assert seen.shape[-2:] == (80, 80)
    torch.testing.assert_close(ddm.taught(seen), over_tiles(seen, (48, 32), ddm.judge))
    assert ddm.of_latents(ddm.latents(ddm.form.for_encoder(images))).shape == (1, KINDS, 20, 20)
    assert evidence_maps(ddm, PLAIN, images).shape == (1, KINDS + 1, 80, 80)


@pytest.mark.parametrize("backbone", [True, False])
def test_batches_do_not_matter(monkeypatch, backbone):
    ddm, images = module(backbone=backbone), list(tiny.textures(7, 96)[..., :64])
    alone = [evidence_maps(ddm, PLAIN, image[None]) for image in images]
    monkeypatch.setattr(scorer_module, "BATCH", 3)
    monkeypatch.setattr(ddm_module, "BATCH", 2)
    for (one, _), other in zip(all_maps(ddm, PLAIN, images), alone, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_images_to_be_tiled_may_differ_in_size():
    ddm = module("tile")
    images = [tiny.textures(1, 96)[0, :, :, :width] for width in (96, 40)]
    assert [tuple(found.shape[-2:]) for found, _ in all_maps(ddm, PLAIN, images)] == \
        [(48, 48), (48, 20)]
