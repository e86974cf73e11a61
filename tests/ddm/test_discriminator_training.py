"""The discriminators' objective and training, and what they answer untrained."""

import pandas as pd
import pytest
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.dagm.sources import REPAINT
from hdm.ddm import discriminator_training
from hdm.ddm.batches import Batch, Batches
from hdm.ddm.discriminator_training import fit, objective
from hdm.detector.discriminator import Discriminator, local_contrast
from hdm.model_settings import Benign

NORMALS = tiny.textures(6)


def planted_bank(count=12, source="fill"):
    table = pd.DataFrame({"base": [i % 6 for i in range(count)], "source": source,
                          "family": "ellipses", "strength": 0.7})
    return SampleBank(NORMALS[table["base"]].half(), torch.ones(count, 32, 32, dtype=torch.uint8),
                      table)


def draw(seed=0, batch=10):
    settings = tiny.ddm_settings()
    settings = settings.model_copy(
        update={"training": settings.training.model_copy(update={"batch": batch})})
    batches = Batches(NORMALS, planted_bank(), torch.arange(12), settings, Benign())
    return batches.scenes(torch.arange(12), torch.Generator().manual_seed(seed))


def test_perfect_answer_costs_nothing_and_a_worse_one_more():
    batch = draw(batch=10)
    best = objective(40 * (2 * batch.mask - 1), batch)
    assert best["loss"].item() == pytest.approx(0, abs=0.02)
    blind = objective(torch.full_like(batch.mask, -2.0), batch)
    wrong = objective(40 * (1 - 2 * batch.mask), batch)
    assert best["loss"] < blind["loss"] < wrong["loss"]


def test_ignored_pixels_do_not_matter():
    batch = draw(batch=40)
    ignored = batch.weight == 0
    assert ignored.any()
    logits = torch.randn(batch.mask.shape, generator=torch.Generator().manual_seed(0))
    one = objective(logits, batch)
    two = objective(torch.where(ignored, torch.tensor(30.0), logits), batch)
    assert one["pixel"] == two["pixel"] and one["dice"] == two["dice"]
    logits.requires_grad_()
    objective(logits, batch)["loss"].backward()
    assert not logits.grad[ignored].any() and logits.grad[~ignored].any()


def test_missed_defect_costs_more_than_a_false_one_of_the_same_size():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :4, :4] = 1
    other = mask.flip(3)
    image = torch.zeros(1, 1, 16, 16)
    batch = Batch(image, mask, torch.ones_like(mask))
    missed = objective(torch.full_like(mask, -5.0), batch)
    false = objective(10 * (mask + other).clamp(max=1) - 5, batch)
    ratio = missed["pixel"] / false["pixel"]
    assert ratio.item() == pytest.approx(discriminator_training.POSITIVE_WEIGHT, rel=0.1)


def test_batch_of_good_images_has_no_dice():
    batch = draw(batch=10)
    good = ~batch.mask.flatten(1).any(1)
    only = Batch(*(planes[good] for planes in batch))
    terms = objective(torch.zeros_like(only.mask), only)
    assert terms["dice"] == 0 and torch.isfinite(terms["loss"])


def fit_tiny(folder, seed=0, steps=3, look=None, bank=None, **over):
    settings = tiny.ddm_settings(**over)
    settings = settings.model_copy(update={"training": settings.training.model_copy(
        update={"steps": steps, "learning_rate": 3e-3, "batch": 8})})
    told = []
    for finished in folder.iterdir():
        finished.unlink()  # it would be gone on with
    network = fit(NORMALS, bank or planted_bank(), torch.arange(12), settings, Benign(),
                  tiny.COMPUTE, seed=seed, checkpoint=folder / "c", look=look,
                  report=lambda step, terms: told.append((step, terms)))
    return network, told


def test_fit_is_reproducible(tmp_path):
    one, told = fit_tiny(tmp_path)
    two, _ = fit_tiny(tmp_path)
    other, _ = fit_tiny(tmp_path, seed=1)
    assert told[-1][0] == 3 and set(told[-1][1]) == {"loss", "pixel", "dice"}
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


def test_what_is_shown_beside_an_image_has_a_say_after_training(tmp_path):
    look = tiny.encoder().stages
    network, _ = fit_tiny(tmp_path, steps=20, look=look)
    stages = look(NORMALS)
    with torch.no_grad():
        one, other = network(NORMALS, stages), network(NORMALS, [-stage for stage in stages])
    assert (one - other).abs().max() > 1e-4, "untrained it is 0"


def test_where_all_is_repainted_the_image_alone_is_shown(tmp_path):
    """As on a line of two tones: the same weights as without a backbone."""
    bank = planted_bank(source=REPAINT)
    asked, _ = fit_tiny(tmp_path, look=tiny.encoder().stages, bank=bank)
    alone, _ = fit_tiny(tmp_path, bank=bank)
    assert not asked.seeing and asked.state_dict().keys() == alone.state_dict().keys()
    assert all(torch.equal(v, alone.state_dict()[k]) for k, v in asked.state_dict().items())


def test_training_learns_to_tell_what_it_was_shown(tmp_path):
    network, told = fit_tiny(tmp_path, steps=150)
    assert told[-1][1]["loss"] < told[0][1]["loss"]
    shown = draw(seed=9, batch=30)
    with torch.no_grad():
        logits = network(shown.seen)
    inside = logits[shown.mask == 1].mean()
    assert inside > logits[(shown.mask == 0) & (shown.weight == 1)].mean() + 0.5


def test_an_untrained_network_says_all_is_good():
    logits = Discriminator(3, tiny.ddm_settings(), seeing=False)(torch.randn(2, 3, 32, 48))
    assert logits.shape == (2, 1, 32, 48)
    assert (logits < 0).all() and logits.std() == 0


def test_local_contrast_does_not_see_light():
    image = tiny.textures(2)
    torch.testing.assert_close(local_contrast(image + 0.7), local_contrast(image), atol=1e-5,
                               rtol=0)
    assert local_contrast(torch.full((1, 1, 16, 48), 2.0)).abs().max() < 1e-6
