"""From a trained module to a detector: what is fitted on what, and what synthetic defects add."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.dataset.held_out import joining
from hdm.dataset.input_format import resize
from hdm.detector.ddm import DDM
from hdm.detector.scorer import Scorer, evidence_maps
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import (
    NORMALITY_IMAGES,
    HeldOut,
    _synthetic,
    build_detector,
    calibrated,
    normality_of,
)
from hdm.pom.discrimination.fusion_fit import fit_fusion

FIRST = 8
"""Number of the first held-out image in the bank."""


def module(fit="resize", detail=2.0, **over):
    form = tiny.input_format(fit=fit, detail=detail)
    ddm = tiny.ddm(form, **over)
    if ddm.prior is None:
        return ddm
    known = form.for_encoder(tiny.textures(8, seed=2))
    return DDM(form, tiny.whitened(ddm.prior, known), ddm.network, ddm.settings, ddm.backend)


def held_out(form, change=0.0, count=40):
    """`count` images, and of the ten that join a sample with a square that `change` is added to."""
    images = [form.prepare(image) for image in pictures(count)]
    joins = np.flatnonzero(joining(list(map(str, range(count)))))
    canvases = torch.stack([form.for_discriminator(images[n][None])[0] for n in joins])
    seen, masks = canvases.clone(), torch.zeros(len(joins), 32, 32, dtype=torch.uint8)
    seen[..., 6:18, 6:18] += change
    masks[:, 6:18, 6:18], masks[:, 5, 5:19] = 1, 2
    bank = SampleBank(seen.half(), masks, pd.DataFrame({"base": FIRST + np.arange(len(joins))}))
    return HeldOut(images.__getitem__, count, canvases, bank, np.arange(len(joins)), FIRST)


def pictures(count):
    textures = resize(tiny.textures(count, seed=4), (96, 96)) + 0.02 * torch.randn(
        count, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    return (128 + 60 * textures[:, 0]).clamp(0, 255).byte().numpy()


def scorer_and_maps(ddm, held):
    normality = normality_of(ddm, tiny.textures(8, seed=2), Benign())
    maps = {n: evidence_maps(ddm, normality, held.load(n)[None]) for n in held.joins}
    return Scorer(ddm, normality, fit_fusion(list(maps.values()), (32, 32))), maps


@pytest.mark.parametrize("over", [{}, {"detail": 0.5}, {"backbone": False}])
def test_a_defect_that_changes_nothing_leaves_its_image_as_good_as_it_is(over):
    """The encoder saw the image in more detail than the bank holds; that is no defect."""
    ddm = module(**over)
    held = held_out(ddm.form)
    scorer, maps = scorer_and_maps(ddm, held)
    rows = np.array([3, 0, 7, 7])
    found = _synthetic(scorer, held, rows, maps).scores
    own = torch.cat([scorer.fusion.evidence(maps[held.joins[row]], (32, 32)).scores
                     for row in rows])
    torch.testing.assert_close(found, own, atol=0.05, rtol=0)


def test_what_a_defect_adds_to_the_diffusion_is_added_to_that_of_its_own_image():
    ddm = module()
    held = held_out(ddm.form, change=1.0)
    scorer, maps = scorer_and_maps(ddm, held)
    found = _synthetic(scorer, held, np.array([2]), maps)
    changed, good = (ddm.of_canvases(image) for image in (
        held.bank.images[2:3].float(), held.canvases[2:3]))
    added = torch.nn.functional.interpolate(changed - good, size=(32, 32), mode="bilinear",
                                            align_corners=False)
    taught = scorer.normality.joined(held.bank.images[2:3].float(),
                                     ddm.judge(held.bank.images[2:3].float()))
    kinds = torch.cat([maps[held.joins[2]][:, :2] + added, taught], 1)
    torch.testing.assert_close(found.pixels, scorer.fusion.pixels(kinds), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_figures_of_defects_that_are_none_are_chance(fit):
    ddm = module(fit, detail=1.0)
    held = held_out(tiny.input_format())
    scorer, maps = scorer_and_maps(ddm, held)
    calibration, figures = calibrated(scorer, held, maps)
    assert figures["synthetic_image_auroc"] == pytest.approx(0.5, abs=0.1)
    assert 0 <= figures["synthetic_pixel_auroc"] <= 1
    assert len(calibration.normal_scores) == 30 and len(calibration.synthetic_scores) == 10
    assert calibration.image != (1.0, 0.0)


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_a_canvas_is_enlarged_to_what_the_encoder_saw_of_as_much_of_a_part(fit):
    form = tiny.input_format(fit=fit, detail=3.0)
    canvas = torch.zeros(1, 1, 32, 32)
    assert form.canvas_for_encoder(canvas).shape[-2:] == (96, 96)
    assert form.for_encoder(torch.zeros(1, 1, 96, 96)).shape[-2:] == (96, 96)
    assert module(fit, detail=3.0).of_canvases(canvas).shape == (1, 2, 12, 12)


def test_without_synthetic_defects_there_are_no_figures():
    ddm = module()
    held = replace(held_out(ddm.form), rows=np.empty(0, int))
    detector, figures = build_detector(ddm, tiny.textures(8, seed=2), Benign(), held, {"line": "a"})
    assert figures == {"synthetic_image_auroc": None, "synthetic_pixel_auroc": None}
    assert detector.calibration.image == (1.0, 0.0) and detector.info == {"line": "a"}
    assert len(detector.calibration.appearance) == 30


def test_the_detector_scores_held_out_images_as_it_was_calibrated():
    ddm = module()
    held = held_out(ddm.form)
    detector, _ = build_detector(ddm, tiny.textures(8, seed=2), Benign(), held, {})
    found = detector.predict([pictures(40)[number] for number in held.calibrates])
    assert detector.calibration.normal_scores == pytest.approx(
        sorted(one.score for one in found), abs=1e-3)
    assert detector.threshold == detector.calibration.normal_scores[-1]


@pytest.mark.parametrize("shown", [2, 3, 4])
def test_thresholds_come_from_parts_that_had_no_say_in_the_scores(monkeypatch, shown):
    """However many pictures a part has, all of them join or all of them calibrate."""
    ddm = module(backbone=False)
    groups = tuple(f"part {number // shown}" for number in range(40))
    held = replace(held_out(ddm.form), rows=np.empty(0, int), groups=groups)
    seen = []
    monkeypatch.setattr("hdm.pom.discrimination.building.fit_fusion",
                        lambda maps, *rest, **over: (seen.append(len(maps)),
                                                     fit_fusion(maps, *rest, **over))[1])
    told = build_detector(ddm, tiny.textures(8, seed=2), Benign(), held, {})[0].calibration
    assert seen == [len(held.joins)] and len(held.joins) + len(told.normal_scores) == 40
    assert not {groups[n] for n in held.joins} & {groups[n] for n in held.calibrates}
    assert len(told.part_scores) == len({groups[n] for n in held.calibrates})
    assert len(held.joins) == pytest.approx(40 / 4, abs=shown)
    assert set(told.pictures) <= {shown, 40 % shown}


@pytest.mark.parametrize(("over", "known"), [
    ({}, True), ({"fit": "tile"}, False), ({"normality": False}, False)])
def test_texture_counts_where_places_are_alike(over, known):
    normality = normality_of(module(backbone=False, **over), tiny.textures(6), Benign())
    assert (normality.texture is not None) == known


def test_of_many_images_some_are_held_in_memory(monkeypatch):
    """Every second of twice as many and one more."""
    ddm, shown = module(backbone=False), []
    monkeypatch.setattr(ddm, "judge", lambda canvas: shown.append(canvas) or canvas)
    images = torch.arange(2 * NORMALITY_IMAGES - 1.0).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    monkeypatch.setattr("hdm.pom.discrimination.building.fit_normality", lambda *rest: rest)
    some, _, posed, _ = normality_of(ddm, images, Benign())
    assert some[:, 0, 0, 0].tolist() == list(range(0, 2 * NORMALITY_IMAGES - 1, 2))
    assert torch.equal(shown[0], some) and posed.shape == some.shape


def test_of_many_images_that_join_some_are_taken(monkeypatch):
    ddm, normals = module(), tiny.textures(8, seed=2)
    held, shown = held_out(ddm.form, change=1.0), []
    monkeypatch.setattr("hdm.pom.discrimination.building.fit_fusion",
                        lambda maps, *rest, **over: (shown.append(len(maps)),
                                                     fit_fusion(maps, *rest, **over))[1])
    monkeypatch.setattr("hdm.pom.discrimination.building.JOINED_IMAGES", 5)
    detector, figures = build_detector(ddm, normals, Benign(), held, {})
    assert shown == [5] and len(detector.calibration.normal_scores) == 30
    assert figures["synthetic_image_auroc"] > 0.6
