"""Limits of what is decidable: at the stated rate, by part, said to be certified only where so."""

import numpy as np
import pytest
import tiny
import torch
from small_detector import good_pictures, plates

from hdm.detector.decidability import FIGURES
from hdm.errors import DataError
from hdm.model_settings import Benign
from hdm.pom.discrimination import decidability_fit as module
from hdm.pom.discrimination.decidability_fit import (
    LEAST,
    GoodPictures,
    _tail,
    fit_decidability,
    fit_likeness,
)


def fitted(training=24, held_out=16, pictures_a_part=1, rate=0.01, **over):
    ddm = tiny.ddm(tiny.input_format(detail=2.0), **over)
    return fit_decidability(ddm, good_pictures(training),
                            good_pictures(held_out, 5, pictures_a_part=pictures_a_part),
                            Benign(), rate, seed=0)


@pytest.mark.parametrize(("held_out", "a_part", "rate", "parts", "certified"), [
    (16, 1, 0.01, 16, False), (16, 1, 0.1, 16, True), (16, 4, 0.1, 4, False),
    (19, 1, 0.05, 19, True), (18, 1, 0.05, 18, False)])
def test_parts_certify_a_rate_and_pictures_do_not(held_out, a_part, rate, parts, certified) -> None:
    limits = fitted(held_out=held_out, pictures_a_part=a_part, rate=rate).limits
    assert (limits.parts, limits.certified, limits.rate) == (parts, certified, rate)
    assert limits.smallest_rate == 1 / (parts + 1)


@pytest.mark.parametrize("backbone", [True, False])
def test_held_out_pictures_are_within_the_limits_and_the_usual_is_inside(backbone) -> None:
    found = fitted(backbone=backbone)
    ddm = tiny.ddm(tiny.input_format(detail=2.0), backbone=backbone)
    for image in plates(16, 5):
        figures = found.figures(image, ddm.overview(ddm.form.prepare(image)[None]))
        assert not found.limits.doubts(figures, called=False)
    limits = found.limits
    for name, least in LEAST.items():
        place = FIGURES.index(name)
        assert limits.high[place] >= limits.centre[place] + least - 1e-6
        low = limits.low[place]
        assert low is None or low <= limits.centre[place] - least + 1e-6


def test_the_same_pictures_give_the_same_limits() -> None:
    first, second = fitted(), fitted()
    assert first.limits == second.limits
    assert torch.equal(first.likeness.whitening, second.likeness.whitening)


@pytest.mark.parametrize(("training", "held_out"), [(0, 5), (5, 0), (0, 0)])
def test_without_good_pictures_there_are_no_limits(training, held_out) -> None:
    with pytest.raises(DataError, match="expected good pictures"):
        fitted(training, held_out)


@pytest.mark.parametrize("training", [1, 2, 3])
def test_few_pictures_and_one_part_give_limits_all_the_same(training) -> None:
    ddm = tiny.ddm(tiny.input_format(detail=2.0))
    one = GoodPictures(plates(4).__getitem__, ["part"] * training)
    limits = fit_decidability(ddm, one, good_pictures(1), Benign(), 0.01, seed=0).limits
    assert all(np.isfinite(value) for value in limits.centre)


@pytest.mark.parametrize("rate", [0.05, 0.02, 0.01])
@pytest.mark.parametrize("draw", ["exponential", "gumbel", "standard_normal"])
def test_an_extrapolated_limit_holds_its_rate(rate, draw) -> None:
    """With 60 parts, over 400 lines; tails no heavier than an exponential one."""
    generator = np.random.default_rng(0)
    known, new = (getattr(generator, draw)(size=(400, size)) for size in (60, 2_000))
    exceeded = [(beyond > _tail(odd, rate)).mean() for odd, beyond in zip(known, new, strict=True)]
    assert np.mean(exceeded) <= rate


@pytest.mark.parametrize(("odd", "rate", "expected"), [
    (np.ones(10), 0.01, 1.0), (np.arange(11.0), 0.5, 8.0), (np.zeros(1), 0.01, 0.0)])
def test_a_tail_of_equal_parts_and_a_rate_that_needs_none(odd, rate, expected) -> None:
    assert _tail(odd, rate) == pytest.approx(expected)


@pytest.mark.parametrize("count", [2, 30, 500])
def test_a_likeness_measures_in_deviations(count) -> None:
    generator = torch.Generator().manual_seed(0)
    pooled = torch.randn(count, 40, generator=generator) * torch.linspace(0.1, 5, 40) + 3
    likeness = fit_likeness(pooled)
    near, far = (likeness.distance(likeness.mean + shift * torch.linspace(0.1, 5, 40)[None])
                 for shift in (0.1, 10.0))
    assert torch.isfinite(near).all() and far > near + 4


def test_no_more_pictures_are_read_than_stated(monkeypatch) -> None:
    monkeypatch.setattr(module, "TRAINING", 7)
    monkeypatch.setattr(module, "HELD_OUT", 5)
    read, images = [], plates(30)

    def load(number):
        read.append(number)
        return images[number]

    pictures = GoodPictures(load, [str(n) for n in range(30)])
    fit_decidability(tiny.ddm(tiny.input_format(detail=2.0)), pictures, pictures, Benign(), 0.1,
                     seed=0)
    assert len(read) <= 12
