"""Latents to learn from: whitened as all of them are, and no more than there is room for."""

import pytest
import tiny
import torch

from hdm.dagm.latent_vectors import CONTRAST, collect, posed_views
from hdm.diffusion.latent_space import LatentSpace, positions
from hdm.model_settings import Benign

NONE = Benign(contrast=0, brightness=0, shading=0, noise=0, turn=0, scale=0, shift=0)


class Plain:
    """An encoder whose features are the image."""

    channels = 5

    def encode(self, images):
        return images


def views(number, count=2, size=(4, 6)):
    """Correlated features, of which the last two are the place."""
    generator = torch.Generator().manual_seed(number)
    mix = torch.tensor([[3.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.5, 0.2]])
    free = torch.einsum("ij,njhw->nihw", mix, torch.randn(count, 3, *size, generator=generator))
    place = positions(*size).T.view(1, 2, *size).expand(count, 2, *size)
    return torch.cat([free + 1, place], 1)


def gather(count=12, dimensions=5, **over):
    return collect(views, count, Plain(), dimensions, **{"seed": 0, **over})


def test_space_and_latents_are_those_of_all_vectors_at_once():
    space, found = gather()
    vectors = torch.cat([views(number).movedim(1, -1).flatten(0, 2) for number in range(12)])
    expected = LatentSpace.fit(vectors.double().mean(0), vectors.T.double().cov(correction=0), 5)
    torch.testing.assert_close(space.mean, expected.mean, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(space.whitening.abs(), expected.whitening.abs(), atol=1e-3,
                               rtol=1e-3)  # an axis may point either way
    assert found.latents.dtype == torch.float16 and found.latents.shape == (12 * 48, 5)
    torch.testing.assert_close(found.latents.float().T.cov(correction=0)[:3, :3], torch.eye(3),
                               atol=0.05, rtol=0)
    direct = (vectors - space.mean) @ space.whitening
    nearest = torch.cdist(direct, found.latents.float()).amin(1)
    assert nearest.max() < 0.02, "each of them is there, in half precision"


def test_of_many_each_image_gives_a_share_and_the_space_is_still_of_all():
    space, found = gather(most=100)
    whole, _ = gather()
    assert len(found.latents) == len(found.places) == 12 * (100 // 12) <= 100
    assert torch.equal(space.whitening, whole.whitening) and torch.equal(space.mean, whole.mean)


def test_every_latent_keeps_its_place():
    space, found = gather(most=200)
    raw = found.latents.float() @ torch.linalg.pinv(space.whitening.double()).float() + space.mean
    torch.testing.assert_close(raw[:, 3:], found.places, atol=0.02, rtol=0)
    assert len(found.places.unique(dim=0)) == 24, "drawn from everywhere"


@pytest.mark.parametrize(("most", "counts"), [
    (12 * 16, [16] * 12), (10_000, [48, 48, 48, 24, *[48] * 8])])
def test_every_latent_knows_its_view_and_each_view_has_the_mean_of_all_its_places(most, counts):
    """Also of those places that are not kept, and of those that are ignored."""
    hidden = torch.zeros(2, 4, 6, dtype=torch.bool)
    hidden[:, :, :3] = True
    space, found = gather(most=most, ignored=lambda number: hidden if number == 3 else None)
    raw = torch.cat([views(number) for number in range(12)])
    whole = space.latents(raw)
    torch.testing.assert_close(found.means, whole.mean((2, 3)), atol=1e-4, rtol=1e-4)
    assert (found.views // 2).bincount().tolist() == counts
    row, column = (found.places * torch.tensor([4, 6])).long().T
    torch.testing.assert_close(found.latents.float(), whole[found.views, :, row, column],
                               atol=0.02, rtol=0.01)


def test_chance_follows_from_the_seed():
    one, again, other = (gather(most=50, seed=seed)[1] for seed in (1, 1, 2))
    assert torch.equal(one.latents, again.latents) and torch.equal(one.places, again.places)
    assert not torch.equal(one.latents, other.latents)


def test_images_are_asked_for_once_each_and_counted():
    asked, seen = [], []
    collect(lambda number: asked.append(number) or views(number), 4, Plain(), 2, seed=0,
            progress=lambda *entry: seen.append(entry))
    assert asked == [0, 1, 2, 3] and seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_images_may_differ_in_size():
    space, found = collect(lambda number: views(number, size=(3 + number, 4)), 3, Plain(), 5,
                           seed=0)
    assert len(found.latents) == 2 * (12 + 16 + 20) and space.whitening.shape == (5, 5)


def test_the_encoder_s_features_of_images_are_collected():
    space, found = collect(lambda number: tiny.textures(2, 48, seed=number), 3, tiny.encoder(), 8,
                           seed=0)
    assert space.whitening.shape == (152, 8) and found.latents.shape == (3 * 2 * 36, 8)
    assert found.latents.isfinite().all()


def posed(count, benign, seed=0):
    return posed_views(tiny.textures(1)[0], count, benign, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_first_view_is_the_image_itself_and_the_others_are_not(count):
    found = posed(count, Benign())
    assert found.shape == (count, 1, 32, 32)
    assert torch.equal(found[0], tiny.textures(1)[0])
    assert all(not torch.allclose(view, found[0], atol=0.05) for view in found[1:])


def test_where_no_pose_is_benign_contrast_alone_changes():
    found = posed(20, NONE)
    image, middle = found[0], found[0].mean()
    gains = [((view - middle) / (image - middle)).median().item() for view in found[1:]]
    for gain, view in zip(gains, found[1:], strict=True):
        torch.testing.assert_close(view, middle + gain * (image - middle), atol=1e-4, rtol=1e-3)
    logs = torch.tensor(gains).log()
    assert logs.abs().max() <= CONTRAST + 1e-4 and logs.min() < 0 < logs.max()
    assert logs.std() > CONTRAST / 4


def test_poses_follow_from_the_generator_and_mirror_where_that_is_benign():
    assert torch.equal(posed(4, Benign(), 3), posed(4, Benign(), 3))
    assert not torch.equal(posed(4, Benign(), 3), posed(4, Benign(), 4))
    image = tiny.textures(1)[0]
    turned = {(rows, columns): image.flip([axis for axis, flip in ((1, rows), (2, columns))
                                           if flip])
              for rows in (False, True) for columns in (False, True)}
    found = posed(40, NONE.model_copy(update={"flips": True}))[1:]
    nearest = {min(turned, key=lambda key: (turned[key] - view).abs().mean()) for view in found}
    assert nearest == set(turned)
