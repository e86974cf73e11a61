"""Siblings: the recipe of an approved sample on another good image."""

import numpy as np
import pandas as pd
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.dagm.siblings import Siblings

NORMALS = tiny.textures(6)


def siblings(source, family="ellipses", strength=0.6):
    table = pd.DataFrame([{"base": 2, "source": source, "family": family, "strength": strength}])
    bank = SampleBank(NORMALS[:1].half(), torch.zeros(1, 32, 32, dtype=torch.uint8), table)
    return Siblings(bank, NORMALS)


def base(image, label):
    """Row of the good image that is left outside the label, and by how much it was changed."""
    change = (image - NORMALS).abs().mean(1)
    outside = (change * (label == 0)).amax((1, 2))
    return int(outside.argmin()), change[outside.argmin()]


def test_a_sibling_is_a_good_image_changed_inside_its_label():
    drawn = siblings("fill")
    for seed in range(20):
        image, label = drawn.draw(0, np.random.default_rng(seed))
        _, change = base(image, label)
        assert (label == 1).sum() >= 4
        assert change[label == 0].max() < 0.11, "at most the feather's last 5 %"
        assert change[label == 1].mean() > 0.1


def test_siblings_stand_on_any_good_image():
    drawn = siblings("fill")
    bases = {base(*drawn.draw(0, np.random.default_rng(seed)))[0] for seed in range(40)}
    assert bases == set(range(6))


def test_siblings_have_the_family_of_their_recipe():
    """Bites come from the border, and few others touch it."""
    for family, all_of_them in (("bite", True), ("ellipses", False)):
        drawn = siblings("fill", family=family)
        labels = [drawn.draw(0, np.random.default_rng(seed))[1] > 0 for seed in range(20)]
        inner = [torch.nn.functional.pad(label[1:-1, 1:-1], (1, 1, 1, 1)) for label in labels]
        assert all((label & ~part).any() for label, part in zip(labels, inner, strict=True)) \
            == all_of_them


def test_siblings_have_the_strength_of_their_recipe():
    """Mean change inside the mask, where the content differs by more; a soft edge takes some."""
    for strength in (0.2, 0.6):
        drawn, found = siblings("fill", strength=strength), []
        for seed in range(30):
            image, label = drawn.draw(0, np.random.default_rng(seed))
            found.append(base(image, label)[1][label > 0].mean().item())
        assert 0.5 * strength < np.median(found) <= strength


def test_siblings_differ_and_follow_from_the_generator():
    drawn = siblings("cut_paste")
    one, again, other = (drawn.draw(0, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_a_rim_is_an_ellipse_where_no_object_stands_out():
    assert (siblings("fill", family="rim").draw(0, np.random.default_rng(0))[1] == 1).any()
