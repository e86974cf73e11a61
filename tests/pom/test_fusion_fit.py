"""Fitting how evidences join: units that do not matter, and thresholds that still hold."""

import pytest
import torch

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.conformal import conformal_threshold
from hdm.pom.discrimination.fusion_fit import LEAST, beside_ignored, fit_fusion

CANVAS = (16, 16)


def maps(count: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Three kinds of evidence of good images, of differing sizes, the last with a long tail."""
    level = torch.randn(count, 3, 1, 1, generator=generator) * torch.tensor(
        [0.3, 0.05, 1.0]).view(3, 1, 1)
    grain = torch.randn(count, 3, *CANVAS, generator=generator)
    grain[:, 2] = grain[:, 2].exp()
    return list((level + grain * torch.tensor([1.0, 0.1, 5.0]).view(3, 1, 1)).split(1))


@pytest.fixture(scope="module")
def held_out() -> list[torch.Tensor]:
    return maps(40, torch.Generator().manual_seed(0))


def scores(fusion, images):
    return torch.cat([fusion.evidence(image, CANVAS).scores for image in images])


def test_centre_and_unit_by_hand():
    """Flat maps at 1, 2, 3 and at 10, 20, 30: their oddest pixels are as all others."""
    levels = [torch.tensor([n, 10.0 * n]) for n in (1, 2, 3)]
    fusion = fit_fusion([level.view(1, 2, 1, 1).expand(1, 2, 8, 8) for level in levels], (8, 8))
    assert fusion.centre.flatten().tolist() == pytest.approx([2, 20])
    assert fusion.unit.tolist() == pytest.approx([(2 / 3) ** 0.5, 10 * (2 / 3) ** 0.5])


def test_the_unit_is_of_the_oddest_pixels_and_not_of_all():
    """Loud grain that is alike on all images weighs nothing; how loud its peak is does."""
    images = []
    for peak in (4.0, 6.0):
        image = torch.ones(1, 1, 10, 10)
        image[..., ::2] = -1.0
        image[..., 3, 3] = peak
        images.append(image)
    assert fit_fusion(images, (10, 10)).unit.item() == pytest.approx(1.0)


def hidden(rows: int, side: int = 16) -> Ignored:
    pixels = torch.zeros(side, side, dtype=torch.bool)
    pixels[:rows] = True
    return Ignored.of(pixels)


def test_what_good_images_show_beside_what_is_ignored_is_expected_there():
    """Rows 0 to 3 are ignored: 4 and 5 lie within an eighth of the side; windows are 5 px wide."""
    loud = torch.zeros(1, 1, *CANVAS)
    loud[..., 4, :], loud[..., 12, :] = 5.0, 5.0
    found = beside_ignored(loud, hidden(4))
    assert found[0, 4:6].flatten().tolist() == pytest.approx([1.0] * 32)
    assert not found[0, 6:].any()


@pytest.mark.parametrize(("rows", "tiled", "placed"), [(4, False, True), (4, True, False),
                                                       (0, False, False)])
def test_only_images_that_are_judged_whole_have_such_places(held_out, rows, tiled, placed):
    ignored = hidden(rows) if rows else None
    fusion = fit_fusion(held_out, CANVAS, tiled=tiled, ignored=lambda *size: ignored)
    assert fusion.centre.shape == ((3, *CANVAS) if placed else (3, 1, 1))


def test_a_busy_edge_costs_no_defect_elsewhere():
    """Each good image is odd where a region cuts it, less and less over eight rows."""
    generator, size, ignored = torch.Generator().manual_seed(3), (64, 64), hidden(4, 64)
    busy = 30 * ((12 - torch.arange(64.0)) / 8).clamp(0, 1)
    images = [torch.randn(1, 2, *size, generator=generator) for _ in range(40)]
    cut = [image + (busy * (1 + 0.005 * torch.randn(1, generator=generator)))[:, None]
           for image in images]
    found = {}
    for name, shown in (("whole", images), ("cut", cut)):
        fusion = fit_fusion(shown[:20], size, ignored=lambda *size: ignored)
        good, bad = (torch.cat([fusion.evidence(one + change, size, ignored).scores
                                for one in shown[20:]]) for change in (0, _dent(6.0)))
        found[name] = (bad > good.max()).float().mean().item()
    assert found == {"whole": 1.0, "cut": 1.0}


def _dent(depth: float) -> torch.Tensor:
    change = torch.zeros(1, 1, 64, 64)
    change[..., 40:44, 20:26] = depth
    return change


def test_the_unit_of_a_kind_means_nothing(held_out):
    change = torch.tensor([100.0, 1.0, 0.2]).view(3, 1, 1)
    offset = torch.tensor([7.0, -3.0, 0.0]).view(3, 1, 1)
    other = [image * change + offset for image in held_out]
    one, two = fit_fusion(held_out, CANVAS), fit_fusion(other, CANVAS)
    for before, after in zip(held_out, other, strict=True):
        torch.testing.assert_close(two.pixels(after), one.pixels(before), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scores(two, other), scores(one, held_out), atol=1e-3, rtol=1e-3)


def test_no_kind_of_evidence_is_heard_alone(held_out):
    """The oddest pixels of each kind differ by one unit from image to image."""
    fusion = fit_fusion(held_out, CANVAS)
    for kind in range(3):
        unit = torch.stack([image[0, kind].flatten().topk(1).values.mean() for image in held_out])
        assert (unit / fusion.unit[kind]).std(correction=0).item() == pytest.approx(1, abs=1e-4)


def test_scores_of_held_out_images_are_about_zero_by_about_one(held_out):
    fusion = fit_fusion(held_out, CANVAS)
    found = scores(fusion, held_out)
    assert found.mean().item() == pytest.approx(0, abs=1e-4)
    assert found.std(correction=0).item() == pytest.approx(1, abs=1e-4)


def test_by_tiles_the_last_kind_weighs_twice_as_much_as_all_others(held_out):
    tiled = fit_fusion(held_out, CANVAS, tiled=True)
    assert tiled.weight.tolist() == pytest.approx([1 / 6, 1 / 6, 2 / 3])
    assert fit_fusion(held_out, CANVAS).weight.tolist() == pytest.approx([1 / 3] * 3)
    alone = fit_fusion([image[:, 2:] for image in held_out], CANVAS, tiled=True)
    assert alone.weight.tolist() == [1.0]
    told = fit_fusion(held_out, CANVAS, tiled=True, told=0.1)
    assert told.weight.tolist() == pytest.approx([0.3, 0.1, 0.6])
    each = torch.cat([tiled.statistics(tiled.pixels(image), CANVAS) for image in held_out])
    assert each.shape == (40, 3)
    torch.testing.assert_close(tiled.expected[0], each.mean(0))
    torch.testing.assert_close(tiled.expected[1], each.std(0, correction=0))


@pytest.mark.parametrize("count", [1, 2])
def test_few_images_and_maps_that_never_vary_give_finite_figures(count):
    fusion = fit_fusion([torch.ones(1, 2, 16, 16)] * count, CANVAS)
    assert fusion.unit.tolist() == pytest.approx([LEAST, LEAST])
    assert scores(fusion, maps_of_two()).isfinite().all()


def maps_of_two():
    return [image[:, :2] for image in maps(3, torch.Generator().manual_seed(1))]


@pytest.mark.parametrize(("tiled", "apart", "true"), [
    (False, True, 0.05), (True, True, 0.05), (False, False, 0.06), (True, False, 0.06)])
def test_a_rate_holds_for_images_that_did_not_join(tiled, apart, true):
    """Nineteen images certify one false alarm in twenty; not where they were in the fit, too."""
    generator, alarms = torch.Generator().manual_seed(0), []
    for _ in range(400):
        drawn = maps(19 + 10 + 19, generator)
        fusion = fit_fusion(drawn[-19:] if apart else drawn[:19], CANVAS, tiled=tiled)
        found = fusion.evidence(torch.cat(drawn[:29]), CANVAS).scores
        limit, enough = conformal_threshold(found[:19].numpy(), 0.05)
        assert enough
        alarms.append((found[19:] > limit).float().mean())
    rates = torch.stack(alarms)
    error = rates.std().item() / len(rates) ** 0.5
    assert rates.mean().item() == pytest.approx(true, abs=3 * error)
