"""What the discriminator is shown in training, and what it is asked about it."""

import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.ddm.batches import PLAIN_FIRST, Batch, Batches, _plain, augment
from hdm.model_settings import Benign

NORMALS = tiny.textures(6)
NONE = Benign(contrast=0, brightness=0, shading=0, noise=0, turn=0, scale=0, shift=0)


def bank(count=12):
    table = pd.DataFrame({"base": [i % 6 for i in range(count)], "source": "fill",
                          "family": "ellipses", "strength": [0.2 + i / count for i in
                                                             range(count)]})
    return SampleBank(NORMALS[table["base"]].half(), torch.ones(count, 32, 32, dtype=torch.uint8),
                      table)


class Coded:
    """Siblings whose every pixel is the number of their recipe, labelled 0, 1 and 2."""

    def __init__(self):
        self.chances = []

    def draw(self, row, rng):
        self.chances.append(rng.random())
        label = torch.zeros(32, 32, dtype=torch.uint8)
        label[:8], label[8:12] = 1, 2
        return torch.full((1, 32, 32), 100.0 + row), label


def batches(batch=10, selection=None, siblings=None, benign=NONE, steps=3):
    settings = tiny.ddm_settings()
    settings = settings.model_copy(update={
        "training": settings.training.model_copy(update={"batch": batch, "steps": steps})})
    selection = torch.arange(12) if selection is None else selection
    made = Batches(NORMALS, bank(), selection, settings, benign)
    made.siblings = siblings or made.siblings
    return made


def draw(seed=0, **how):
    made = batches(**how)
    return made.scenes(made.selection, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("batch", [2, 3, 10, 16])
def test_batch_has_good_images_first_and_defects_after(batch):
    drawn = draw(batch=batch)
    assert drawn.seen.shape == drawn.mask.shape == drawn.weight.shape == (batch, 1, 32, 32)
    good = ~drawn.mask.flatten(1).any(1)
    assert 0 < good.sum() < batch and torch.equal(good, good.sort(descending=True).values)
    assert (drawn.weight[good] == 1).all()
    for image in drawn.seen[good]:
        assert any(torch.equal(image, normal) for normal in NORMALS)


def test_labels_become_mask_and_weight():
    """What visibly changed is the mask; what changed less weighs nothing."""
    drawn = draw(siblings=Coded())
    defect = drawn.seen[:, 0, 0, 0] >= 100
    assert defect.sum() == 6
    rows = torch.arange(32).view(1, 1, 32, 1).expand(6, 1, 32, 32)
    assert torch.equal(drawn.mask[defect], (rows < 8).float())
    assert torch.equal(drawn.weight[defect], 1 - ((rows >= 8) & (rows < 12)).float())


def test_only_the_selection_is_drawn_and_all_of_it_alike():
    drawn = draw(batch=1000, selection=torch.tensor([2, 5]), siblings=Coded())
    counts = torch.bincount((drawn.seen[400:, 0, 0, 0] - 100).long(), minlength=12)
    assert counts.nonzero().flatten().tolist() == [2, 5]
    assert (counts[2] / counts[5]).item() == pytest.approx(1, rel=0.25)


def test_no_defect_is_shown_twice_and_the_step_decides_which():
    coded = Coded()
    draw(batch=40, siblings=coded)
    assert len(set(coded.chances)) == 24
    assert torch.equal(draw(batch=40).seen, draw(batch=40).seen)
    assert not torch.equal(draw(batch=40).seen, draw(seed=1, batch=40).seen)


def test_good_images_are_all_of_them_whatever_was_selected():
    drawn = draw(batch=400, selection=torch.tensor([3, 9]), siblings=Coded())
    good = drawn.seen[:160]
    assert all(any(torch.equal(image, normal) for image in good) for normal in NORMALS)


def test_the_plainer_half_comes_first():
    assert _plain(bank(5), torch.arange(5)).tolist() == [2, 3, 4]
    assert _plain(bank(5), torch.tensor([3, 0, 1])).tolist() == [3, 1]
    made = batches(batch=400, siblings=Coded(), steps=100)

    def rows(step):
        seen = made.draw(step, torch.Generator().manual_seed(0)).seen
        return set((seen[160:, 0, 16, 16] - 100).round().int().tolist())

    assert rows(round(100 * PLAIN_FIRST) - 1) == set(range(5, 12))
    assert rows(round(100 * PLAIN_FIRST)) == set(range(12))


def squares(count=8):
    mask = torch.zeros(count, 1, 32, 32)
    mask[:, :, 8:20, 10:24] = 1
    return Batch(2 * mask - 1, mask, 1 - 0.5 * mask)


def test_nothing_benign_changes_nothing():
    for plane, changed in zip(squares(), augment(squares(), NONE, torch.Generator()), strict=True):
        torch.testing.assert_close(changed, plane, atol=1e-5, rtol=0)


def test_benign_change_moves_the_labels_with_the_image_and_light_the_image_alone():
    drawn = augment(squares(), Benign(noise=0, shading=0), torch.Generator().manual_seed(1))
    assert set(drawn.mask.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(drawn.weight, 1 - 0.5 * drawn.mask)
    edge = torch.nn.functional.max_pool2d(drawn.mask, 3, 1, 1) \
        + torch.nn.functional.max_pool2d(1 - drawn.mask, 3, 1, 1) == 2
    for image, mask, border in zip(drawn.seen, drawn.mask.bool(), edge, strict=True):
        inside, outside = image[mask & ~border], image[~mask & ~border]
        assert inside.std() < 1e-4 and outside.std() < 1e-4
        assert 1.3 < (inside.mean() - outside.mean()) < 2.9, "2, by a contrast of up to e^0.35"
