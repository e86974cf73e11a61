"""The object before a plain background, and no object where there is none."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from hdm.dagm.foreground import foregrounds, otsu


def scene(channels=1, noise=0.03, background=-0.8, shape="disc"):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    truth = (y - 30) ** 2 + (x - 34) ** 2 < 18**2 if shape == "disc" else \
        (np.abs(y - 32) < 12) & (np.abs(x - 30) < 20)
    image = np.where(truth, 0.6 + 0.2 * np.sin(x / 3), background)
    image = np.stack([image] * channels) + rng.normal(0, noise, (channels, 64, 64))
    return image.astype(np.float32), truth


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", ["disc", "box"])
@pytest.mark.parametrize("background", [-0.8, 2.0])
def test_object_is_found(channels, shape, background):
    image, truth = scene(channels, background=background, shape=shape)
    (found,) = foregrounds(torch.from_numpy(image)[None])
    assert found is not None and found.dtype == bool
    assert not (found & ~ndimage.binary_dilation(truth, iterations=6)).any()
    assert (found & truth).sum() >= 0.98 * truth.sum(), "no part of the object is lost"


def test_a_hole_in_the_object_belongs_to_it():
    image, _ = scene()
    image[:, 28:33, 32:37] = -0.8
    (found,) = foregrounds(torch.from_numpy(image)[None])
    assert found[28:33, 32:37].all()


def test_texture_has_no_foreground():
    y, x = np.mgrid[:64, :64]
    grating = np.sin(x / 2) * np.cos(y / 3)
    noise = np.random.default_rng(0).normal(0, 0.5, (64, 64))
    images = torch.tensor(np.stack([grating, noise, grating + noise]), dtype=torch.float32)
    assert foregrounds(images[:, None]) == [None, None, None]


def test_flat_image_and_speck_have_no_foreground():
    flat = torch.full((1, 1, 64, 64), 0.3)
    speck = flat.clone()
    speck[..., 30:33, 30:33] = 2
    almost_all = torch.full((1, 1, 64, 64), 1.0)
    almost_all[..., [0, -1], :] = 0
    assert foregrounds(torch.cat([flat, speck])) == [None, None]
    assert foregrounds(almost_all) in ([None],) or foregrounds(almost_all)[0].mean() <= 0.9


def test_otsu_splits_two_groups():
    values = np.r_[np.full(300, 0.1), np.full(100, 0.9), np.linspace(0.05, 0.15, 50)]
    assert 0.1 < otsu(values)[1] < 0.9
