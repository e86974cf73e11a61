"""The discriminator's batches, objective and training."""

import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.ddm import discriminator_training
from hdm.ddm.batches import Batches, Scenes, _plain, previous_guess
from hdm.ddm.discriminator_training import fit, objective
from hdm.detector.discriminator import Discriminator, local_contrast
from hdm.detector.ensemble import Ensemble

NORMALS = tiny.textures(6)


def planted_bank(count=12):
    """Samples cut out of good images that darken to the right: sample i on image i mod 6."""
    bases = [i % 6 for i in range(count)]
    table = pd.DataFrame({"base": bases, "source": "diffusion", "family": "ellipses",
                          "grown": range(count),
                          "strength": [0.2 + i / count for i in range(count)]})
    return SampleBank(NORMALS[bases].half(), torch.ones(count, 32, 32, dtype=torch.uint8), table,
                      (NORMALS[bases] - torch.linspace(0, 2, 32)).half())


def draw(seed=0, batch=10, bank=None, selection=None):
    bank = bank or planted_bank()
    settings = tiny.ddm_settings()
    settings = settings.model_copy(
        update={"training": settings.training.model_copy(update={"batch": batch})})
    selection = torch.arange(len(bank.images)) if selection is None else selection
    batches = Batches(NORMALS, bank, selection, settings)
    return batches.scenes(selection, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("batch", [2, 3, 10, 16])
def test_batch_has_good_images_first_and_defects_after(batch):
    drawn = draw(batch=batch)
    assert drawn.seen.shape == drawn.normal.shape == (batch, 1, 32, 32)
    assert drawn.mask.shape == drawn.weight.shape == (batch, 1, 32, 32)
    good = ~drawn.mask.flatten(1).any(1)
    assert 0 < good.sum() < batch and torch.equal(good, good.sort(descending=True).values)
    assert torch.equal(drawn.seen[good], drawn.normal[good]) and (drawn.weight[good] == 1).all()


def test_labels_become_mask_and_weight():
    """What visibly changed is the mask; what changed less weighs nothing."""
    drawn = draw(batch=40)
    change = (drawn.seen - drawn.normal).abs()
    defect, unsure = drawn.mask.bool(), drawn.weight == 0
    assert defect.any() and unsure.any() and not (defect & unsure).any()
    assert change[defect].mean() > 0.15 > 0.05 > change[unsure].mean()
    assert change[~defect & ~unsure].max() < 0.1, "at most the feather's last 5 %"


def test_only_the_selection_is_drawn_and_all_of_it_alike():
    counts = torch.zeros(6)
    for seed in range(40):
        drawn = draw(seed, batch=16, selection=torch.tensor([2, 5]))
        for normal in drawn.normal[drawn.mask.flatten(1).any(1)]:
            counts += torch.tensor([torch.equal(normal, known) for known in NORMALS])
    assert set(counts.nonzero().flatten().tolist()) == {2, 5}
    assert (counts[2] / counts[5]).item() == pytest.approx(1, rel=0.25)


def test_no_defect_is_shown_twice_and_the_step_decides_which():
    drawn = draw(batch=40)
    defects = {mask.numpy().tobytes() for mask in drawn.mask[drawn.mask.flatten(1).any(1)]}
    assert len(defects) == drawn.mask.flatten(1).any(1).sum()
    assert torch.equal(draw(batch=40).seen, drawn.seen)


def test_good_images_are_all_of_them_whatever_was_selected():
    drawn = draw(batch=400, selection=torch.tensor([3, 9]))
    good = drawn.seen[~drawn.mask.flatten(1).any(1)]
    found = [any(torch.equal(image, normal) for image in good) for normal in NORMALS]
    assert all(found)


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
    batch = draw(batch=40)
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
    assert ratio.item() == pytest.approx(discriminator_training.POSITIVE_WEIGHT, rel=0.1)


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
    for finished in folder.iterdir():
        finished.unlink()  # it would be gone on with
    network = fit(NORMALS, planted_bank(), torch.arange(12), tiny.prior(), settings,
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


def test_members_differ_and_the_first_is_as_if_alone(tmp_path):
    alone, _ = fit_tiny(tmp_path)
    three, told = fit_tiny(tmp_path, members=3)
    assert [step for step, _ in told] == [3, 6, 9]
    first, second, third = (member.state_dict() for member in three.members)
    assert all(torch.equal(v, alone.members[0].state_dict()[k]) for k, v in first.items())
    for other in (second, third):
        assert not all(torch.equal(v, other[k]) for k, v in first.items())
    assert not all(torch.equal(v, third[k]) for k, v in second.items())


def test_mean_of_the_members_is_the_answer():
    settings = tiny.ddm_settings(members=2)
    ensemble = tiny.randomised(Ensemble(1, settings), 0, scale=0.1).eval()
    shown = (tiny.textures(3), None, torch.zeros(3, 1, 32, 32), torch.ones(3))
    with torch.no_grad():
        together, (one, two) = ensemble(*shown), (member(*shown) for member in ensemble.members)
    torch.testing.assert_close(together.logits, (one.logits + two.logits) / 2)
    torch.testing.assert_close(together.normal, (one.normal + two.normal) / 2)
    assert torch.equal(together.context, torch.cat([one.context, two.context], 1))
    assert not torch.equal(one.logits, two.logits)


def test_training_learns_to_tell_what_it_was_shown(tmp_path):
    network, told = fit_tiny(tmp_path, steps=150)
    assert told[-1][1]["loss"] < told[0][1]["loss"]
    shown = draw(seed=9, batch=30)
    with torch.no_grad():
        _, logits, _ = network(shown.seen, None, torch.zeros_like(shown.mask), torch.ones(30))
    inside = logits[shown.mask == 1].mean()
    assert inside > logits[(shown.mask == 0) & (shown.weight == 1)].mean() + 0.5


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
    assert _plain(planted_bank(5), torch.arange(5)).tolist() == [2, 3, 4]
    assert _plain(planted_bank(5), torch.tensor([3, 0, 1])).tolist() == [3, 1]
