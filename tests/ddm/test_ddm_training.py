"""The discriminator's batches, objective and training."""

import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.ddm import training
from hdm.ddm.batches import Batches, Scenes, _plain, previous_guess
from hdm.ddm.network import Discriminator, local_contrast
from hdm.ddm.training import fit, objective

NORMALS = tiny.textures(6)


def square_bank(count=12, strength=1.5, source="planted"):
    """Dark squares with a ring that changed invisibly around them."""
    bases = [i % 6 for i in range(count)]
    images, masks = NORMALS[bases].clone(), torch.zeros(count, 32, 32, dtype=torch.uint8)
    for i in range(count):
        top, left = 2 + i % 7, 3 + 2 * (i % 8)
        masks[i, top - 1:top + 9, left - 1:left + 9] = 2
        masks[i, top:top + 8, left:left + 8] = 1
        images[i, 0, top:top + 8, left:left + 8] -= strength
    table = pd.DataFrame({"base": bases, "source": source, "family": "ellipses",
                          "strength": [0.2 + i / count for i in range(count)]})
    return SampleBank(images.half(), masks, table)


def draw(seed=0, batch=10, bank=None, selection=None, importance=None):
    bank = bank or square_bank()
    settings = tiny.ddm_settings()
    settings = settings.model_copy(
        update={"training": settings.training.model_copy(update={"batch": batch})})
    selection = torch.arange(len(bank.images)) if selection is None else selection
    importance = torch.ones(len(selection)) if importance is None else importance
    batches = Batches(NORMALS, bank, selection, importance, settings)
    return batches.scenes(importance, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("batch", [2, 3, 10, 16])
def test_batch_has_good_images_first_and_defects_after(batch):
    drawn = draw(batch=batch)
    assert drawn.seen.shape == drawn.normal.shape == (batch, 1, 32, 32)
    assert drawn.mask.shape == drawn.weight.shape == (batch, 1, 32, 32)
    good = ~drawn.mask.flatten(1).any(1)
    assert 0 < good.sum() < batch and torch.equal(good, good.sort(descending=True).values)
    assert torch.equal(drawn.seen[good], drawn.normal[good]) and (drawn.weight[good] == 1).all()


def test_labels_become_mask_and_weight():
    bank = square_bank()
    drawn = draw(batch=2, bank=bank, selection=torch.tensor([4]))
    labels = bank.masks[4][None]
    assert torch.equal(drawn.mask[1], (labels == 1).float())
    assert torch.equal(drawn.weight[1], (labels != 2).float())


def test_only_the_selection_is_drawn_in_proportion_to_its_importance():
    bank = square_bank()
    seen = torch.zeros(12)
    for seed in range(60):
        drawn = draw(seed, batch=16, bank=bank, selection=torch.tensor([2, 5]),
                     importance=torch.tensor([3.0, 1.0]))
        for mask in drawn.mask[drawn.mask.flatten(1).any(1)]:
            seen += torch.tensor([torch.equal((m == 1).float(), mask[0]) for m in bank.masks])
    assert set(seen.nonzero().flatten().tolist()) == {2, 5}
    assert (seen[2] / seen[5]).item() == pytest.approx(3, rel=0.25)


def test_most_samples_are_siblings_of_an_approved_recipe():
    bank = square_bank(source="fill")
    drawn = draw(batch=40, bank=bank)
    known = [(m == 1).float() for m in bank.masks]
    defects = drawn.mask[drawn.mask.flatten(1).any(1)]
    old = sum(any(torch.equal(k, mask[0]) for k in known) for mask in defects)
    assert 0 < old < len(defects) / 2
    assert torch.equal(draw(batch=40, bank=bank).seen, drawn.seen), "the step decides"


def test_good_images_are_all_of_them_whatever_was_selected():
    drawn = draw(batch=400, selection=torch.tensor([3, 9]))
    good = drawn.seen[~drawn.mask.flatten(1).any(1)]
    found = [any(torch.equal(image, normal) for image in good) for normal in NORMALS]
    assert all(found)


def test_fading_keeps_the_defect_between_faint_and_full():
    drawn, bank = draw(batch=16), square_bank()
    inside = drawn.mask.bool()
    change = (drawn.normal - drawn.seen)[inside]
    assert change.min() > 0 and change.max() <= 1.5 + 2e-3
    assert not (drawn.normal - drawn.seen)[(drawn.mask == 0) & (drawn.weight == 1)].abs().gt(
        2e-3).any()
    assert bank.images.shape[0] == 12


def test_previous_mask_is_nothing_at_the_first_step():
    mask = torch.zeros(64, 1, 32, 32)
    mask[:, :, 8:20, 8:20] = 1
    assert not previous_guess(mask, torch.ones(64), torch.Generator().manual_seed(0)).any()


def test_previous_mask_is_a_guess_at_the_mask_about_half_of_the_time():
    mask = torch.zeros(400, 1, 32, 32)
    mask[:, :, 8:20, 8:20] = 1
    guess = previous_guess(mask, torch.full((400,), 0.5), torch.Generator().manual_seed(0))
    assert guess.min() >= 0 and guess.max() <= 1
    shown = guess.flatten(1).any(1)
    assert 0.35 < shown.float().mean() < 0.65
    assert guess[shown][:, :, 12:16, 12:16].mean() > 0.6
    assert guess[shown][:, :, :3].max() < 1e-3, "far from the mask there is nothing"
    assert not previous_guess(mask * 0, torch.full((400,), 0.5), torch.Generator()).any()


def perfect(batch, certainty=40.0):
    return objective(batch.normal, certainty * (2 * batch.mask - 1), batch)


def test_perfect_answer_costs_nothing_and_a_worse_one_more():
    batch = draw(batch=10)
    best = perfect(batch)
    assert best["loss"].item() == pytest.approx(0, abs=0.02)
    assert best["normal"].item() == 0
    blind = objective(batch.seen, torch.full_like(batch.mask, -2.0), batch)
    wrong = objective(batch.seen, 40 * (1 - 2 * batch.mask), batch)
    assert best["loss"] < blind["loss"] < wrong["loss"]


def test_ignored_pixels_do_not_matter():
    batch = draw(batch=10)
    ignored = batch.weight == 0
    assert ignored.any()
    logits = torch.randn(batch.mask.shape, generator=torch.Generator().manual_seed(0))
    one = objective(batch.normal, logits, batch)
    two = objective(batch.normal, torch.where(ignored, torch.tensor(30.0), logits), batch)
    assert one["pixel"] == two["pixel"] and one["dice"] == two["dice"]
    logits.requires_grad_()
    objective(batch.normal, logits, batch)["loss"].backward()
    assert not logits.grad[ignored].any() and logits.grad[~ignored].any()


def test_missed_defect_costs_more_than_a_false_one_of_the_same_size():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :4, :4] = 1
    other = mask.flip(3)
    image = torch.zeros(1, 1, 16, 16)
    batch = Scenes(image, image, mask, torch.ones_like(mask))
    missed = objective(image, torch.full_like(mask, -5.0), batch)
    false = objective(image, 10 * (mask + other).clamp(max=1) - 5, batch)
    ratio = missed["pixel"] / false["pixel"]
    assert ratio.item() == pytest.approx(training.POSITIVE_WEIGHT, rel=0.1)


def test_batch_of_good_images_has_no_dice():
    batch = draw(batch=10)
    good = ~batch.mask.flatten(1).any(1)
    only = Scenes(*(planes[good] for planes in batch))
    terms = objective(only.normal, torch.zeros_like(only.mask), only)
    assert terms["dice"] == 0 and torch.isfinite(terms["loss"])


def fit_tiny(folder, seed=0, steps=3, **over):
    settings = tiny.ddm_settings(**over)
    settings = settings.model_copy(update={"training": settings.training.model_copy(
        update={"steps": steps, "learning_rate": 3e-3, "batch": 8})})
    told = []
    network = fit(NORMALS, square_bank(), torch.arange(12), torch.ones(12), tiny.prior(), settings,
                  tiny.COMPUTE, seed=seed, checkpoint=folder / "c",
                  report=lambda step, terms: told.append((step, terms)))
    return network, told


@pytest.mark.parametrize("over", [{}, {"prior_level": 0.2}, {"reverse_steps": 1}])
def test_fit_is_reproducible(tmp_path, over):
    one, told = fit_tiny(tmp_path, **over)
    two, _ = fit_tiny(tmp_path, **over)
    other, _ = fit_tiny(tmp_path, seed=1, **over)
    assert told[-1][0] == 3 and {"loss", "pixel", "dice", "normal"} <= set(told[-1][1])
    state = one.state_dict()
    assert all(torch.equal(v, two.state_dict()[k]) for k, v in state.items())
    assert not all(torch.equal(v, other.state_dict()[k]) for k, v in state.items())


def test_training_learns_to_tell_squares_from_texture(tmp_path):
    network, told = fit_tiny(tmp_path, steps=60)
    assert told[-1][1]["loss"] < told[0][1]["loss"]
    bank = square_bank()
    with torch.no_grad():
        images = bank.images.float()
        _, logits, _ = network(images, None, torch.zeros(12, 1, 32, 32), torch.ones(12))
    inside = logits[:, 0][bank.masks == 1].mean()
    assert inside > logits[:, 0][bank.masks == 0].mean() + 0.5


def test_untrained_network_says_all_is_normal():
    network = Discriminator(3, tiny.ddm_settings(prior_level=0.2))
    z = torch.randn(2, 3, 32, 32)
    estimate, logits, _ = network(z, z, torch.zeros(2, 1, 32, 32), torch.ones(2))
    assert torch.equal(estimate, z) and logits.shape == (2, 1, 32, 32)
    assert (logits < 0).all() and logits.std() == 0


def test_local_contrast_does_not_see_light():
    image = tiny.textures(2)
    torch.testing.assert_close(local_contrast(image + 0.7), local_contrast(image), atol=1e-5,
                               rtol=0)
    assert local_contrast(torch.full((1, 1, 16, 48), 2.0)).abs().max() < 1e-6


def test_the_plainer_half_comes_first():
    bank, importance = square_bank(4), torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert _plain(bank, torch.arange(4), importance).tolist() == [0, 2, 3, 4]
    assert _plain(bank, torch.tensor([3, 0]), importance[:2]).tolist() == [1, 2]
