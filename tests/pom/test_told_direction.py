"""Where confirmed defects lie in the space of latents, and what is taken for them."""

import numpy as np
import pytest
import tiny
import torch
from dented import SIDE, said

from hdm.dataset.ignore_mask import IgnoreMask
from hdm.dataset.images import read_image
from hdm.pom.discrimination.told_direction import ToldLatents, told_latents

DEFECTS = torch.tensor([[4.0, 0.0], [2.0, 2.0], [0.0, 4.0]])


def told(defects=DEFECTS, alarms=(), numbers=(0, 1, 2)):
    return ToldLatents(defects, torch.tensor(alarms).view(-1, 2), torch.tensor(numbers))


@pytest.mark.parametrize(("alarms", "without", "direction"), [
    ((), (), [2, 2]), ((), (0,), [1, 3]), (((2.0, 0.0),), (), [1, 2]),
    (((2.0, 0.0), (0.0, 2.0)), (2,), [2.5, 0.5])])
def test_the_direction_by_hand(alarms, without, direction):
    found = told(alarms=alarms).direction(without)
    assert found.tolist() == pytest.approx(direction)


def test_with_all_left_out_there_is_none():
    assert told().direction((0, 1, 2)) is None
    assert told(torch.empty(0, 2), numbers=()).direction() is None


def test_pictures_are_left_out_by_their_number_not_their_row():
    assert told(DEFECTS[:2], numbers=(0, 5)).direction((5,)).tolist() == [4, 0]


@pytest.mark.parametrize("fit", ["resize", "tile"])
@pytest.mark.parametrize("masked", [True, False])
def test_a_defect_is_where_it_was_drawn_or_else_where_it_is_odd(tmp_path, fit, masked):
    module = tiny.ddm(tiny.input_format(SIDE, fit=fit))
    defects, none = said(tmp_path, "dent", 2, masked=masked), said(tmp_path, "good", 0)
    asked = []

    def find(prepared):
        asked.append(prepared)
        odd = torch.zeros(8, 8)
        odd[:2, :2] = 1
        return odd

    found = told_latents(defects, none, module, find)
    image = module.form.prepare(read_image(tmp_path / "dent0.png"))
    latents = module.latents(module.form.for_encoder(image[None]))[0]
    rows, columns = (slice(2, 4), slice(4, 6)) if masked else (slice(0, 2), slice(0, 2))
    torch.testing.assert_close(found.defects[0], latents[:, rows, columns].flatten(1).mean(1),
                               atol=1e-4, rtol=1e-4)
    assert len(asked) == (0 if masked else 2)
    assert found.alarms.numel() == 0 and found.numbers.tolist() == [0, 1]


def test_a_false_alarm_is_where_it_was_odd_and_has_no_number(tmp_path):
    module = tiny.ddm(tiny.input_format(SIDE))
    found = told_latents(said(tmp_path, "dent", 0), said(tmp_path, "good", 3), module,
                         lambda image: torch.arange(64.0).view(8, 8))
    assert found.alarms.shape == (3, 8) and found.direction() is None and len(found.numbers) == 0


def test_a_defect_where_nothing_is_inspected_is_left_out(tmp_path):
    hidden = np.zeros((SIDE, SIDE), bool)
    hidden[:48] = True
    module = tiny.ddm(tiny.input_format(SIDE, ignored=IgnoreMask.of(hidden).text()))
    drawn, odd = (said(tmp_path / str(masked), "dent", 1, masked=masked)
                  for masked in (True, False))
    none = said(tmp_path, "good", 0)
    assert told_latents(drawn, none, module, lambda image: torch.ones(8, 8)).direction() is None
    everywhere = told_latents(odd, none, module, lambda image: torch.ones(8, 8))
    image = module.form.prepare(read_image(odd.image_file(next(iter(odd)))))
    latents = module.latents(module.form.for_encoder(image[None]))[0]
    torch.testing.assert_close(everywhere.defects[0], latents[:, 6:].flatten(1).mean(1),
                               atol=1e-4, rtol=1e-4)
