"""Siblings: the recipe of an approved sample on another good image."""

import numpy as np
import pandas as pd
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.dagm.siblings import Siblings

NORMALS = tiny.textures(6)


def siblings(source, family="ellipses", strength=0.6, grown=-1):
    table = pd.DataFrame([{"base": 2, "source": source, "family": family, "strength": strength,
                           "grown": grown}])
    redrawn = torch.full((1, 1, 32, 32), 2.0)
    bank = SampleBank(NORMALS[:1].half(), torch.zeros(1, 32, 32, dtype=torch.uint8), table, redrawn)
    return Siblings(bank, NORMALS)


def test_the_prior_s_are_other_parts_of_its_image_on_the_same_base():
    drawn = siblings("diffusion", grown=0)
    labels = set()
    for seed in range(5):
        normal, image, label = drawn.draw(0, np.random.default_rng(seed))
        assert torch.equal(normal, NORMALS[2])
        assert (image - normal)[:, label == 1].min() > 0, "drawn towards the redrawn image"
        labels.add(label.numpy().tobytes())
    assert len(labels) == 5


def test_a_sibling_is_a_good_image_changed_inside_its_label():
    drawn = siblings("fill")
    for seed in range(20):
        normal, image, label = drawn.draw(0, np.random.default_rng(seed))
        assert any(torch.equal(normal, known) for known in NORMALS)
        assert (label == 1).sum() >= 4
        assert torch.allclose(image[:, label == 0], normal[:, label == 0], atol=0.11)
        assert (image - normal).abs().mean(0)[label == 1].mean() > 0.1


def test_siblings_differ_and_follow_from_the_generator():
    drawn = siblings("cut_paste")
    one, again, other = (drawn.draw(0, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_a_rim_is_an_ellipse_where_no_object_stands_out():
    assert (siblings("fill", family="rim").draw(0, np.random.default_rng(0))[2] == 1).any()
