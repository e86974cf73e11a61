"""Benign change: the same light for all planes, and labels that move with the image."""

import math

import pytest
import tiny
import torch

from hdm.model_settings import Benign
from hdm.training.augmentation import light, pose

NONE = Benign(contrast=0, brightness=0, shading=0, noise=0, turn=0, scale=0, shift=0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def scene(count=12):
    """Textures and their dark squares: good image, seen image, mask."""
    normal = tiny.textures(count)
    mask = torch.zeros(count, 1, 32, 32)
    mask[:, :, 8:20, 10:24] = 1
    return normal, normal - 0.8 * mask, mask


def test_nothing_asked_for_changes_nothing():
    normal, _, mask = scene()
    for plane, changed in zip((normal, mask), pose(normal, mask, NONE, generator()), strict=True):
        torch.testing.assert_close(changed, plane, atol=1e-5, rtol=0)
    torch.testing.assert_close(light([normal], NONE, generator())[0], normal)


@pytest.mark.parametrize("benign", [
    Benign(), Benign(flips=True), Benign(turn=45, scale=0.2)])
def test_a_label_moves_with_what_it_labels(benign):
    normal, seen, mask = scene()
    images, labels = pose(torch.cat([normal, seen], 1), torch.cat([mask, 1 - 0.5 * mask], 1),
                          benign, generator(1))
    difference, moved = (images[:, :1] - images[:, 1:]).abs(), labels[:, :1]
    edge = torch.nn.functional.max_pool2d(moved, 3, 1, 1) == 1
    edge[..., [0, 0, -1, -1], [0, -1, 0, -1]] = True  # what reflection shows of a square there
    assert not difference[~edge].gt(1e-4).any(), "only interpolation reaches over the edge"
    assert difference[moved == 1].mean() > 0.5
    assert set(moved.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(labels[:, 1:], 1 - 0.5 * moved)


def test_light_is_one_gain_and_one_offset_for_both_images():
    normal, seen, inside = scene()
    normal, seen = light([normal, seen], Benign(), generator(2))
    for one, other, mask in zip(normal, seen, inside.bool(), strict=True):
        gain = (one - other)[mask] / 0.8
        assert gain.std() < 1e-4 and 0.7 < gain.mean() < 1.42
        assert torch.equal(one[~mask], other[~mask])


@pytest.mark.parametrize(("change", "moved"), [
    ({"contrast": 0.35}, "spread"), ({"brightness": 0.2}, "mean"),
    ({"shading": 0.12}, "shape"), ({"noise": 0.05}, "grain")])
def test_each_change_of_light_changes_its_own_part(change, moved):
    image = tiny.textures(16)
    out = light([image], NONE.model_copy(update=change), generator(3))[0]
    difference = out - image
    spread = (out.std((1, 2, 3)) / image.std((1, 2, 3)) - 1).abs().max()
    mean = difference.mean((1, 2, 3)).abs().max()
    steps = (difference[..., 1:] - difference[..., :-1]).abs().max()
    assert moved in {"mean", "shape"} or mean < 0.1
    if moved == "spread":
        assert 0.2 < spread < 0.43 and mean < 1e-4
    if moved == "mean":
        assert difference.std((1, 2, 3)).max() < 1e-5 and 0.1 < mean <= 0.2
    if moved == "shape":
        assert difference.std((1, 2, 3)).max() > 0.02 and steps < 0.1
    if moved == "grain":
        assert 0.01 < difference.std() < 0.05 and steps > 0.1


def test_turn_and_shift_move_a_dot_where_geometry_says():
    image = torch.zeros(200, 1, 33, 65)
    image[:, :, 16, 32] = 1  # the centre of a wide image
    still, _ = pose(image, image, NONE.model_copy(update={"turn": 180.0}), generator(4))
    assert still[:, 0, 16, 32].min() > 0.99, "turning moves the centre nowhere"
    moved, label = pose(image, image, NONE.model_copy(update={"shift": 0.1}), generator(5))
    places = label[:, 0].flatten(1).argmax(1)
    rows, columns = places // 65 - 16, places % 65 - 32
    assert rows.abs().max() <= 4 and columns.abs().max() <= 7
    assert rows.float().std() > 1 and columns.float().std() > 2
    assert moved.sum((1, 2, 3)).allclose(torch.ones(200), atol=1e-4)


def test_turning_turns_and_keeps_lengths_in_a_wide_image():
    image = torch.zeros(50, 1, 41, 81)
    image[:, :, 20, 30:51] = 1
    _, label = pose(image, image, NONE.model_copy(update={"turn": 30.0}), generator(6))
    heights = []
    for plane in label[:, 0]:
        y, x = torch.nonzero(plane, as_tuple=True)
        heights.append((y.max() - y.min()).item())
        assert 17 <= math.hypot(heights[-1], (x.max() - x.min()).item()) <= 23
    assert min(heights) <= 2 and 8 <= max(heights) <= 11, "20 px, turned by up to 30 degrees"


def test_a_generator_decides():
    normal, _, mask = scene()
    one, two, other = (pose(normal, mask, Benign(), generator(s))[0] for s in (7, 7, 8))
    assert torch.equal(one, two) and not torch.equal(one, other)
    one, two, other = (light([normal], Benign(), generator(s))[0] for s in (7, 7, 8))
    assert torch.equal(one, two) and not torch.equal(one, other)
